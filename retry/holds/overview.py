"""Which holds stand, and how much waits for each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from entries.models import Entry
from entries.states import EntryStatus
from retry.holds.condition import ActiveHolds
from retry.models import BY_NO_WORKER, Hold, Run, RunState

#: Counting stops here: more says the same.
MANY = 10_000


@dataclass(frozen=True, slots=True)
class WaitingCounts:
    """``runs`` are queued or planned; ``scheduled`` counts entries, whose retry may not be due.

    Either is ``MANY`` where there are at least as many.
    """

    runs: int = 0
    scheduled: int = 0


def list_active() -> QuerySet[Hold]:
    """Of few rows, by a partial index: cheap enough for every page."""
    return Hold.objects.filter(lifted_at=None).select_related("source").order_by("id")


def together(holds: Iterable[Hold]) -> list[Sequence[Hold]]:
    """Each hold by itself, but all upstreams of a kind together."""
    found: dict[object, list[Hold]] = {}
    for hold in holds:
        found.setdefault(hold.kind if hold.upstream else hold.pk, []).append(hold)
    return list(found.values())


def find_holds_on(*, kind: str, source_id: int | None, upstream: str = "") -> list[Hold]:
    """The holds for which an entry of that kind, source and upstream waits."""
    found = Q(kind=kind, upstream__in={"", upstream}) & ~Q(kind="")
    if source_id is not None:
        found |= Q(source=source_id)
    return list(list_active().filter(found))


def find_holds_on_operation(operation_id: UUID) -> list[tuple[Hold, int]]:
    """The holds for which runs of an operation wait, and how many runs."""
    grouped = _waiting_runs().filter(operation=operation_id).order_by()
    counted = list(grouped.values_list("kind", "upstream", "source_id").annotate(Count("pk")))
    found = (
        (hold, sum(runs for *what, runs in counted if _stops(hold, *what)))
        for hold in list_active()
    )
    return [(hold, runs) for hold, runs in found if runs]


def _stops(hold: Hold, kind: str, upstream: str, source_id: int | None) -> bool:
    if not hold.kind:
        return hold.source_id == source_id
    return hold.kind == kind and hold.upstream in {"", upstream}


def count_waiting(holds: Iterable[Hold]) -> Mapping[int, WaitingCounts]:
    """By hold; those of upstreams are counted together, because there may be hundreds."""
    listed = list(holds)
    scheduled = Entry.objects.filter(status=EntryStatus.SCHEDULED)
    pairs = frozenset((hold.kind, hold.upstream) for hold in listed if hold.upstream)
    runs_of, scheduled_of = _by_upstream(_waiting_runs(), pairs), _by_upstream(scheduled, pairs)
    found = {}
    for hold in listed:
        if hold.upstream:
            pair = (hold.kind, hold.upstream)
            found[hold.pk] = WaitingCounts(runs_of.get(pair, 0), scheduled_of.get(pair, 0))
        else:
            found[hold.pk] = WaitingCounts(
                runs=_waiting_runs().filter(_of(hold))[:MANY].count(),
                scheduled=scheduled.filter(_of(hold))[:MANY].count(),
            )
    return found


def _by_upstream(
    rows: QuerySet[Any], pairs: frozenset[tuple[str, str]]
) -> Mapping[tuple[str, str], int]:
    if not pairs:
        return {}
    concerned = rows.filter(ActiveHolds(upstreams=pairs).condition()).order_by()
    counted = concerned.values_list("kind", "upstream").annotate(Count("pk"))
    return {(kind, upstream): count for kind, upstream, count in counted}


def _waiting_runs() -> QuerySet[Run]:
    """Planned ones included, but for those that need no worker and so do not wait."""
    waiting = Run.objects.filter(state__in=(RunState.PLANNED, RunState.QUEUED))
    return waiting.exclude(trigger__in=BY_NO_WORKER)


def _of(hold: Hold) -> Q:
    return Q(kind=hold.kind) if hold.kind else Q(source=hold.source_id)
