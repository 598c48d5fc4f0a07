"""Which holds are active, and how much waits for each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, QuerySet

from entries.models import Entry
from entries.sql import load
from entries.states import EntryStatus
from retry.access.records import visible_holds, visible_runs
from retry.access.visibility import find_sources
from retry.models import BY_NO_WORKER, Hold, Run, RunState
from retry.outcomes import Actor
from retry.runs.hold_condition import ActiveHolds, HoldKey, hold_key, list_covering_keys

_SQL = load(__file__)
#: Counting stops here: more says the same.
MANY = 10_000
_WAITING = (RunState.PLANNED, RunState.QUEUED)


@dataclass(frozen=True, slots=True)
class WaitingCounts:
    """``runs`` are queued or planned; ``scheduled`` counts entries, whose retry may not be due.

    Either is ``MANY`` where there are at least as many.
    """

    runs: int = 0
    scheduled: int = 0


def list_active(actor: Actor | None = None) -> QuerySet[Hold]:
    """List active holds that the actor may see, the oldest first; None sees them all.

    Few rows by a partial index: cheap enough for every page.
    """
    visible = Hold.objects.all() if actor is None else visible_holds(actor)
    return visible.filter(lifted_at=None).select_related("source").order_by("id")


def shield(holds: Iterable[Hold], *, actor: Actor) -> list[Hold]:
    """Blank, in instances that are only shown, what the breaker says of all sources together."""
    shown = list(holds)
    if not find_sources(actor).everything:
        for hold in shown:
            if hold.source_id is None:
                hold.probes = hold.released = 0
                hold.reason = "" if hold.automatic else hold.reason
    return shown


def group_by_kind(holds: Iterable[Hold]) -> list[Sequence[Hold]]:
    """Group the upstreams of a kind together; each other hold is a group by itself."""
    groups: dict[object, list[Hold]] = {}
    for hold in holds:
        groups.setdefault(hold.kind if hold.upstream else hold.pk, []).append(hold)
    return list(groups.values())


def find_holds_on(*, kind: str, source_id: int | None, upstream: str = "") -> list[Hold]:
    """Find the active holds for which an entry of that kind, source and upstream waits."""
    keys = list_covering_keys(kind=kind, upstream=upstream, source_id=source_id)
    return [hold for hold in list_active() if _key(hold) in keys]


def find_holds_on_operation(operation_id: UUID, *, actor: Actor) -> list[tuple[Hold, int]]:
    """Find the holds for which runs of an operation wait, and how many of those that the actor may
    see. One cheap statement where nothing is on hold.
    """
    active = list(list_active())
    if not active:
        return []
    grouped = _find_waiting_runs(visible_runs(actor)).filter(operation=operation_id).order_by()
    counts: dict[HoldKey, int] = {}
    for kind, upstream, source_id, runs in grouped.values_list(
        "kind", "upstream", "source_id"
    ).annotate(Count("pk")):
        for key in set(list_covering_keys(kind=kind, upstream=upstream, source_id=source_id)):
            counts[key] = counts.get(key, 0) + runs
    return [(hold, counts[_key(hold)]) for hold in active if _key(hold) in counts]


def find_holds_on_run(run: Run) -> list[Hold]:
    """Find the active holds for which a run waits; one cheap statement, and none for a run that
    waits for nothing.
    """
    if run.state not in _WAITING or run.trigger in BY_NO_WORKER:
        return []
    found = find_holds_on(kind=run.kind, source_id=run.source_id, upstream=run.upstream)
    return [hold for hold in found if not (hold.automatic and run.probe)]


def list_visible_ids(holds: Iterable[Hold], *, actor: Actor) -> list[int]:
    """Return the ids of those that the actor may see."""
    ids = sorted(hold.pk for hold in holds)
    if not ids or find_sources(actor).everything:
        return ids
    return list(visible_holds(actor).filter(pk__in=ids).order_by("pk").values_list("pk", flat=True))


def count_waiting(holds: Iterable[Hold]) -> Mapping[int, WaitingCounts]:
    """Count what waits for each hold, by its id; for all of them together, because there may be
    hundreds.
    """
    listed = list(holds)
    pairs = frozenset((hold.kind, hold.upstream) for hold in listed if hold.upstream)
    runs = _count_by_upstream(_find_waiting_runs(Run.objects.all()), pairs)
    scheduled = _count_by_upstream(Entry.objects.filter(status=EntryStatus.SCHEDULED), pairs)
    found = {
        hold.pk: WaitingCounts(
            runs.get((hold.kind, hold.upstream), 0), scheduled.get((hold.kind, hold.upstream), 0)
        )
        for hold in listed
        if hold.upstream
    }
    return found | _count_by_whole([hold.pk for hold in listed if not hold.upstream])


def _count_by_whole(ids: list[int]) -> dict[int, WaitingCounts]:
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            _SQL["count_waiting"],
            {"ids": ids, "no_worker": [t.value for t in BY_NO_WORKER], "most": MANY},
        )
        return {id_: WaitingCounts(runs, entries) for id_, runs, entries in cursor.fetchall()}


def _key(hold: Hold) -> HoldKey:
    return hold_key(kind=hold.kind, upstream=hold.upstream, source_id=hold.source_id)


def _count_by_upstream(
    rows: QuerySet[Any], pairs: frozenset[tuple[str, str]]
) -> Mapping[tuple[str, str], int]:
    if not pairs:
        return {}
    covered = rows.filter(ActiveHolds(frozenset(pairs)).condition()).order_by()
    counts = covered.values_list("kind", "upstream").annotate(Count("pk"))
    return {(kind, upstream): count for kind, upstream, count in counts}


def _find_waiting_runs(runs: QuerySet[Run]) -> QuerySet[Run]:
    """Queued and planned runs, without those that need no worker and so do not wait."""
    waiting = runs.filter(state__in=_WAITING)
    return waiting.exclude(trigger__in=BY_NO_WORKER)
