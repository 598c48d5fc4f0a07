"""An outage as the desk sees it: two weeks of history, and entries that fail since a while."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from entries.models import Source
from retry.models import ALL_FAILURES, OutcomeCount, Span
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.counts import add_count

UPSTREAM = "127.0.0.1:8901"


def add_history(source: Source | None = None, *, days: int = 8, usual: int = 4) -> None:
    """Count ``usual`` failures and twenty times as many successes in each hour of the last days."""
    this_hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    source_id = source.pk if source is not None else None
    rows = []
    for number in range(3, 24 * days):
        at = this_hour - timedelta(hours=number)
        for fingerprint, count in (("", 20 * usual), ("1-usual", usual), (ALL_FAILURES, usual)):
            rows.append(
                OutcomeCount(
                    span=Span.HOUR,
                    at=at,
                    kind="page",
                    source_id=source_id,
                    fingerprint=fingerprint,
                    count=count,
                )
            )
    OutcomeCount.objects.bulk_create(rows)


def add_outage(
    source: Source | None = None,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    size: int = 60,
) -> datetime:
    """Let three groups fail, the largest ``size`` times a minute; returns since when."""
    source = source or SourceFactory.create(slug="demo", name="Demo")
    until = until or timezone.now()
    since = (since or until - timedelta(minutes=9)).replace(second=0, microsecond=0)
    for group in _list_groups(size):
        for minute in range((until - since) // timedelta(minutes=1) + 1):
            add_count(
                group.count,
                at=since + timedelta(minutes=minute),
                fingerprint=group.fingerprint,
                kind="page",
                source_id=source.pk,
                upstream=UPSTREAM,
            )
        for number in range(min(group.count, 30)):
            _add_entry(group, number, source=source, failed_at=since)
    return since


@dataclass(frozen=True, slots=True)
class _Group:
    fingerprint: str
    error_class: str
    message: str
    count: int
    transient: bool = True


def _list_groups(size: int) -> list[_Group]:
    base = f"http://{UPSTREAM}"
    return [
        _Group("1-503", "TransientError", f"HTTP 503 from {base}/pages/{{}}", size),
        _Group(
            "1-404", "PermanentError", f"HTTP 404 from {base}/gone/{{}}", size // 6, transient=False
        ),
        _Group("1-late", "TimeLimitExceeded", "took longer than {} s", size // 15),
    ]


def _add_entry(group: _Group, number: int, *, source: Source, failed_at: datetime) -> None:
    entry = EntryFactory.create(
        failed=True,
        source=source,
        fingerprint=group.fingerprint,
        error_class=group.error_class,
        error_message=group.message.format(number),
        payload={"url": f"http://{UPSTREAM}/pages/{number}"},
        failed_at=failed_at,
    )
    entry.attempts.update(transient=group.transient)
