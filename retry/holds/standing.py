"""Which holds stand, and how much waits for each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from entries.models import Entry
from entries.states import EntryStatus
from retry.models import BY_NO_WORKER, Hold, Run, RunState

#: Counting stops here: more says the same.
MANY = 10_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """``runs`` are queued or planned; ``scheduled`` counts entries, whose retry may not be due.

    Either is ``MANY`` where there are at least as many.
    """

    runs: int = 0
    scheduled: int = 0


def standing() -> QuerySet[Hold]:
    """Of few rows, by a partial index: cheap enough for every page."""
    return Hold.objects.filter(lifted_at=None).select_related("source").order_by("id")


def holding(*, kind: str, source_id: int | None) -> list[Hold]:
    """The holds for which an entry of that kind and source waits."""
    found = Q(kind=kind) & ~Q(kind="")
    if source_id is not None:
        found |= Q(source=source_id)
    return list(standing().filter(found))


def holding_operation(operation_id: UUID) -> list[tuple[Hold, int]]:
    """The holds for which runs of an operation wait, and how many runs."""
    waiting = _waiting_runs().filter(operation=operation_id)
    found = ((hold, waiting.filter(_of(hold)).count()) for hold in standing())
    return [(hold, runs) for hold, runs in found if runs]


def waiting_for(holds: Iterable[Hold]) -> Mapping[int, Waiting]:
    """By hold."""
    scheduled = Entry.objects.filter(status=EntryStatus.SCHEDULED)
    return {
        hold.pk: Waiting(
            runs=_waiting_runs().filter(_of(hold))[:MANY].count(),
            scheduled=scheduled.filter(_of(hold))[:MANY].count(),
        )
        for hold in holds
    }


def _waiting_runs() -> QuerySet[Run]:
    """Planned ones included, but for those that need no worker and so do not wait."""
    waiting = Run.objects.filter(state__in=(RunState.PLANNED, RunState.QUEUED))
    return waiting.exclude(trigger__in=BY_NO_WORKER)


def _of(hold: Hold) -> Q:
    return Q(kind=hold.kind) if hold.kind else Q(source=hold.source_id)
