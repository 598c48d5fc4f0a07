"""Outages: one begins with a spike of failures, and is over when the rate is usual again.

There is a notice of its beginning and one of its end. The errors and holds that it brings are
listed in them, and have none of their own.
"""

import logging
import time
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from entries.filters import EntryFilter
from entries.phrases import Phrase, phrase
from entries.states import EntryStatus
from retry.models import ErrorGroup, Notice, NoticeEvent, Outage
from retry.notices import paths
from retry.notices.events import PARTS, find_open_outage, format_time, list_parts
from retry.notices.recording import Message, insert, is_wanted
from retry.outcome_history.scope import EVERYTHING
from retry.outcome_history.series import FrequentFailure, find_most_frequent
from retry.outcome_history.spikes import (
    FACTOR,
    FLOOR,
    Spike,
    count_failures,
    find_spike,
    read_usual,
)

logger = logging.getLogger(__name__)

#: Between two looks; the counts are folded once a second.
LOOK_SECONDS = 5.0
_LISTED = 10
_HOUR_SECONDS = 3600


class OutageWatch:
    """The dispatcher's look at the rate of failures. What it knows is in PostgreSQL."""

    def __init__(self) -> None:
        self._looked_at = float("-inf")

    def step(self) -> int:
        """Look, if it is time to; return 1 where an outage has begun or is over."""
        pause = min(LOOK_SECONDS, 5 * settings.REDRIVE_TICK_SECONDS)
        if time.monotonic() - self._looked_at < pause:
            return 0
        self._looked_at = time.monotonic()
        outage, now = find_open_outage(), timezone.now()
        if outage is not None:
            return _end(outage, now=now)
        return _begin(now=now) if is_wanted(NoticeEvent.OUTAGE_BEGAN) else 0


def _begin(*, now: datetime) -> int:
    """Open an outage where a spike is under way that no earlier outage accounts for."""
    spike = find_spike(scope=EVERYTHING, now=now)
    if spike is None or spike.until is not None or not _is_unusual(now, usual=spike.usual):
        return 0
    last = Outage.objects.order_by("-pk").first()
    if last is not None and last.over_at is not None and last.over_at > spike.since:
        failed = count_failures(last.over_at, now, scope=EVERYTHING)
        if failed <= max(FACTOR * spike.usual, FLOOR):
            return 0
    try:
        with transaction.atomic():
            _open(spike)
    except IntegrityError:  # another dispatcher has opened it
        return 0
    logger.warning("outage.began", extra={"failed": spike.count, "usual": spike.usual})
    return 1


def _open(spike: Spike) -> None:
    outage = Outage.objects.create(began_at=spike.since)
    unsettled = Notice.objects.filter(event__in=PARTS, told_at=None, outage=None)
    unsettled.update(outage=outage)
    since = format_time(spike.since)
    failed = EntryFilter(status=EntryStatus.FAILED, failed_after=spike.since)
    message = Message(
        subject=phrase(
            "Outage: %(count)s failed since %(time)s (usual: %(usual)s an hour)",
            count=spike.count,
            time=since,
            usual=spike.usual,
        ),
        lines=(describe_main(spike.main), *_list_parts(outage)),
        path=paths.find_list_path(failed),
        details={
            "outage": outage.pk,
            "since": spike.since.isoformat(),
            "failed": spike.count,
            "usual_an_hour": spike.usual,
        },
    )
    insert(NoticeEvent.OUTAGE_BEGAN, outage.pk, message, outage=outage)


def _end(outage: Outage, *, now: datetime) -> int:
    """Close an outage once hardly anything has failed for some minutes."""
    usual = read_usual(now.replace(minute=0, second=0, microsecond=0), scope=EVERYTHING)
    if _is_unusual(now, usual=usual):
        return 0
    with transaction.atomic():
        still_open = Outage.objects.filter(Q(is_open=True), pk=outage.pk)
        if not still_open.update(is_open=None, over_at=now):  # another dispatcher was faster
            return 0
        failed = count_failures(outage.began_at, now, scope=EVERYTHING)
        most = find_most_frequent(outage.began_at, scope=EVERYTHING, most=1)
        message = Message(
            subject=phrase(
                "The outage is over: %(count)s failed from %(begin)s to %(end)s",
                count=failed,
                begin=format_time(outage.began_at),
                end=format_time(now),
            ),
            lines=(describe_main(most[0] if most else None), *_list_parts(outage)),
            path=paths.find_list_path(
                EntryFilter(status=EntryStatus.FAILED, failed_after=outage.began_at)
            ),
            details={
                "outage": outage.pk,
                "since": outage.began_at.isoformat(),
                "until": now.isoformat(),
                "failed": failed,
            },
        )
        insert(NoticeEvent.OUTAGE_OVER, outage.pk, message, outage=outage)
    logger.warning("outage.over", extra={"failed": failed})
    return 1


def _is_unusual(now: datetime, *, usual: int) -> bool:
    """Whether the last minutes had more failures than go with the end of an outage.

    Half of what makes a spike, so that an outage does not end and begin again by turns.
    """
    seconds = settings.REDRIVE_OUTAGE_QUIET_SECONDS
    failed = count_failures(now - timedelta(seconds=seconds), now, scope=EVERYTHING)
    return failed > max(FACTOR * usual / 2, FLOOR) * seconds / _HOUR_SECONDS


def describe_main(main: FrequentFailure | None) -> str:
    """Say in a line what fails most."""
    if main is None:
        return ""
    group = ErrorGroup.objects.filter(fingerprint=main.fingerprint).first()
    known: dict[str, object] = {"error": str(group), "kind": main.kind}
    if main.upstreams:
        known["upstreams"] = list(main.upstreams[:3])
        if group:
            return phrase("Mostly: %(error)s from %(upstreams)s", **known)
        return phrase("Mostly from %(upstreams)s", **known)
    if group:
        return phrase("Mostly: %(error)s of %(kind)s", **known)
    return phrase("Mostly of %(kind)s", **known)


def _list_parts(outage: Outage) -> tuple[str, ...]:
    parts = list_parts(outage, most=_LISTED)
    if not parts:
        return ()
    return (phrase("What broke:"), *(Phrase("- %(part)s", values={"part": part}) for part in parts))
