"""Times and spans of time, written by people and scripts: one parser for all of them; pure."""

import re
from datetime import datetime, timedelta, tzinfo

from entries.phrases import Phrase, nphrase

_MOMENT = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt](?P<time>[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)"
    r"(?P<offset>[Zz]|[+-][0-9]{2}:?[0-9]{2})?)?"
)
#: Of spans, such as ``24h``, in JSON Schema.
SPAN_PATTERN = "^[1-9][0-9]{0,4}[mhd]$"
_SPAN = re.compile("([1-9][0-9]{0,4})([mhd])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
#: No place on earth is further from UTC, and PostgreSQL refuses 16 hours.
_FURTHEST = timedelta(hours=14)


class InvalidMoment(ValueError):
    """The text is no time, or could mean more than one."""

    def __init__(self) -> None:
        super().__init__(
            "must be a time with its time zone, such as 2026-01-31T12:00:00Z, at most 14 hours "
            "from UTC (in an address, write + as %2B)"
        )


def parse_moment(value: object, *, zone: tzinfo | None = None) -> datetime:
    """Parse ``2026-01-31T12:00:00Z``, or with an offset such as ``+01:00``, to an aware time.

    Seconds and their fraction may be missing. With ``zone`` the offset may be missing, too, and so
    may the time of day, which then is midnight. Raises ``InvalidMoment`` for everything else:
    numbers, ``24:00``, leap seconds, offsets of more than 14 hours.
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


def parse_span(value: object) -> timedelta:
    """Parse ``15m``, ``24h`` or ``7d``. Raises ``ValueError``."""
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be a number of minutes, hours or days, such as 15m, 24h or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def describe_span(value: str) -> Phrase:
    """``15 minutes``, ``1 hour``. Raises ``ValueError``."""
    parse_span(value)
    number = int(value[:-1])
    match value[-1]:
        case "m":
            return nphrase("%(count)s minute", "%(count)s minutes", number)
        case "h":
            return nphrase("%(count)s hour", "%(count)s hours", number)
        case _:
            return nphrase("%(count)s day", "%(count)s days", number)
