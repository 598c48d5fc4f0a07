"""What a worker tells the breaker of the outcomes it writes."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from django.utils import timezone

from entries.errors import UnknownKind
from entries.kinds import registry
from entries.text import one_line
from entries.transitions import Outcome
from retry.models import OutcomeTally, Run

_LONGEST_MESSAGE = 200


def append(run: Run, endings: Iterable[Outcome]) -> None:
    """Append one row for each upstream of the run's kind, in the caller's transaction: the one in
    which the outcomes are written. Nothing for a kind without a breaker.
    """
    if not _has_breaker(run.kind):
        return
    by_upstream: dict[str, list[Outcome]] = defaultdict(list)
    for ending in endings:
        by_upstream[ending.upstream].append(ending)
    began_at = run.started_at or timezone.now()
    OutcomeTally.objects.bulk_create(
        OutcomeTally(
            kind=run.kind,
            upstream=upstream,
            total=len(found),
            transient=sum(ending.transient for ending in found),
            message=_most_frequent(found),
            began_at=began_at,
        )
        for upstream, found in by_upstream.items()
    )


def _has_breaker(kind: str) -> bool:
    try:
        return registry.get(kind).breaker is not None
    except UnknownKind:
        return False


def _most_frequent(endings: Iterable[Outcome]) -> str:
    """The message of the most frequent passing fault, on one line."""
    found = Counter(e.error.message for e in endings if e.transient and e.error is not None)
    return one_line(found.most_common(1)[0][0], limit=_LONGEST_MESSAGE) if found else ""
