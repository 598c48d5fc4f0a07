"""Times that somebody wrote: the one parser for all of them, and its one error; pure."""

import re
from datetime import datetime, timedelta, tzinfo

_MOMENT = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt](?P<time>[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)"
    r"(?P<offset>[Zz]|[+-][0-9]{2}:?[0-9]{2})?)?"
)
#: No place on earth is further from UTC, and PostgreSQL takes no 16 hours.
_FURTHEST = timedelta(hours=14)


class InvalidMoment(ValueError):
    """It is no time, or one that could mean several."""

    def __init__(self) -> None:
        super().__init__(
            "must be a time with its time zone, such as 2026-01-31T12:00:00Z, at most 14 hours "
            "from UTC (in an address, write + as %2B)"
        )


def parse_moment(value: object, *, zone: tzinfo | None = None) -> datetime:
    """``2026-01-31T12:00:00Z``, with a zone of ``+01:00`` or ``+0100`` as well, as an aware time.

    Seconds and their fraction may be missing. With a ``zone`` so may the zone, and the time of day:
    the beginning of that day is meant then. Raises ``InvalidMoment`` for everything else: numbers,
    ``24:00``, leap seconds, zones further than 14 hours from UTC.
    """
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise InvalidMoment
    time, offset = found["time"] or "00:00", found["offset"] or ""
    if time.startswith("24") or not (offset or zone):
        raise InvalidMoment
    try:
        moment = datetime.fromisoformat(f"{found['date']}T{time}{offset.upper()}")
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        away = moment.utcoffset()
    except (ValueError, OverflowError):
        raise InvalidMoment from None
    if away is None or abs(away) > _FURTHEST:
        raise InvalidMoment
    return moment
