"""Counts of outcomes: appended without a worker, folded without a dispatcher's loop."""

from collections.abc import Callable
from datetime import datetime

from django.db.models import F
from django.utils import timezone

from entries.states import EntryStatus
from entries.text import describe_error
from entries.transitions import Outcome
from retry import outcome_counts
from retry.dispatcher import outcome_fold
from retry.models import ALL_FAILURES, OutcomeCount, OutcomeFlush, Run, Span


def fail(message: str, *, entry_id: int = 1, upstream: str = "") -> Outcome:
    error = describe_error(RuntimeError(message))
    return Outcome(entry_id, EntryStatus.FAILED, error=error, upstream=upstream)


def succeed(entry_id: int = 1) -> Outcome:
    return Outcome(entry_id, EntryStatus.SUCCEEDED, result={})


def append(*outcomes: Outcome, kind: str = "scripted", source_id: int | None = None) -> None:
    outcome_counts.append(outcomes, run=Run(kind=kind, source_id=source_id))


def fold() -> int:
    return outcome_fold.fold(_do)


def fold_older() -> int:
    return outcome_fold.fold_older(_do)


def _do(step: Callable[[], int]) -> int:
    return step()


def add_count(
    count: int,
    *,
    at: datetime,
    fingerprint: str = "",
    kind: str = "scripted",
    source_id: int | None = None,
    span: Span = Span.MINUTE,
    sample: int | None = None,
    upstream: str = "",
) -> OutcomeCount:
    """A count as the dispatcher has folded it; ``at`` is where its span begins."""
    if fingerprint:
        total, _ = OutcomeCount.objects.get_or_create(
            span=span,
            at=at,
            kind=kind,
            source_id=source_id,
            fingerprint=ALL_FAILURES,
            defaults={"count": 0},
        )
        OutcomeCount.objects.filter(pk=total.pk).update(count=F("count") + count)
    return OutcomeCount.objects.create(
        span=span,
        at=at,
        kind=kind,
        source_id=source_id,
        fingerprint=fingerprint,
        upstreams=[upstream] if upstream else [],
        count=count,
        sample_entry_id=sample,
    )


def move_flushes(at: datetime) -> None:
    """Let what was appended have been appended then."""
    OutcomeFlush.objects.update(at=at)


def list_counts() -> list[tuple[str, str, int]]:
    """Span, fingerprint or "", and count, in the order of time; without the sums of failures."""
    rows = OutcomeCount.objects.exclude(fingerprint=ALL_FAILURES).order_by("at", "fingerprint")
    return list(rows.values_list("span", "fingerprint", "count"))


def start_of_minute() -> datetime:
    return timezone.now().replace(second=0, microsecond=0)


def count_all_failures() -> int:
    """The sums of failures, which are as many as the failures."""
    rows = OutcomeCount.objects.filter(fingerprint=ALL_FAILURES)
    return sum(rows.values_list("count", flat=True))
