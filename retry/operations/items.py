"""What became of each entry of an operation, page by page."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from retry.access.visibility import visible_ids
from retry.models import Action, Operation, Run, RunState
from retry.outcomes import Actor


@dataclass(frozen=True, slots=True)
class Item:
    """``outcome`` is an attempt's status, ``planned``, ``skipped`` (with its ``reason``), or
    ``succeeded`` for actions that need no attempt.
    """

    entry_id: int
    outcome: str
    reason: str | None
    attempt: int | None
    error_class: str
    error_message: str
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class ItemPage:
    items: list[Item]
    #: Hand it in again for the next page; None where there is none.
    next_cursor: str | None


#: What can be asked for, and in which runs it can be found.
OUTCOMES = {
    "planned": Q(state=RunState.PLANNED),
    "queued": Q(state__in=(RunState.QUEUED, RunState.RUNNING)),
    "running": Q(state=RunState.RUNNING),
    "succeeded": Q(succeeded__gt=0),
    "failed": Q(failed__gt=0),
    "scheduled": Q(scheduled__gt=0),
    "unchanged": Q(unchanged__gt=0),
    "cancelled": Q(cancelled__gt=0) | Q(state=RunState.CANCELLED) | Q(state=RunState.RUNNING),
    "skipped": Q(skipped_count__gt=0),
}

_OF_RUN = """
WITH left_out AS (
    SELECT s.key AS reason, v.value::bigint AS entry_id
    FROM retry_run r, jsonb_each(r.skipped) AS s, jsonb_array_elements_text(s.value) AS v
    WHERE r.id = %(run)s
), listed AS (
    SELECT u.id, l.reason, a.number, a.error_class, a.error_message, a.ended_at,
           CASE WHEN l.reason IS NOT NULL THEN 'skipped'
                WHEN a.status = 'failed' AND e.status = 'scheduled' AND e.run_id = %(run)s
                    THEN 'scheduled'
                WHEN a.status IS NOT NULL THEN a.status
                ELSE %(otherwise)s END AS outcome
    FROM unnest(%(ids)s::bigint[]) AS u (id)
    LEFT JOIN entries_attempt a ON a.entry_id = u.id AND a.run_id = %(run)s
    LEFT JOIN entries_entry e ON e.id = u.id
    LEFT JOIN left_out l ON l.entry_id = u.id
)
SELECT id, outcome, reason, number, coalesce(error_class, ''), coalesce(error_message, ''), ended_at
FROM listed
WHERE id > %(after)s AND outcome <> 'lost' AND coalesce(%(outcome)s::text, outcome) = outcome
ORDER BY id LIMIT %(limit)s
"""


def items(
    operation: Operation,
    *,
    actor: Actor | None = None,
    outcome: str | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> ItemPage:
    """Entries in the operation's order. What went on in another run is listed there.

    Of entries that are hidden from the actor no error is told; the system, None, sees them all.
    Raises ``ValueError`` for an unknown outcome or a cursor that no page has given.
    """
    if outcome is not None and outcome not in OUTCOMES:
        raise ValueError(f"outcome must be one of: {', '.join(OUTCOMES)}")
    found: list[Item] = []
    place = ""
    for run, after in _runs(operation, outcome, cursor):
        for item in _items_of(operation, run, outcome, after=after, limit=limit + 1 - len(found)):
            if len(found) == limit:
                return ItemPage(_without_hidden(found, actor), place)
            found.append(item)
            place = f"{run.position}.{run.pk.hex}.{item.entry_id}"
    return ItemPage(_without_hidden(found, actor), None)


def _without_hidden(found: list[Item], actor: Actor | None) -> list[Item]:
    if actor is None:
        return found
    told = [item.entry_id for item in found if item.error_class or item.error_message]
    hidden = set(told).difference(visible_ids(told, actor=actor))
    return [
        replace(item, error_class="", error_message="") if item.entry_id in hidden else item
        for item in found
    ]


def _runs(
    operation: Operation, outcome: str | None, cursor: str | None
) -> Iterator[tuple[Run, int]]:
    """Runs that may hold such items, each with the entry id after which to read."""
    runs: QuerySet[Run] = Run.objects.filter(operation=operation).order_by("position", "id")
    if outcome is not None:
        runs = runs.filter(OUTCOMES[outcome])
    if cursor is None:
        for run in runs.iterator(chunk_size=50):
            yield run, 0
        return
    position, run_id, entry_id = _parsed(cursor)
    behind = Q(position__gt=position) | Q(position=position, pk__gte=run_id)
    for run in runs.filter(behind).iterator(chunk_size=50):
        yield run, entry_id if run.pk == run_id else 0


def _items_of(
    operation: Operation, run: Run, outcome: str | None, *, after: int, limit: int
) -> list[Item]:
    with connection.cursor() as cursor:
        cursor.execute(
            _OF_RUN,
            {
                "run": run.pk,
                "ids": run.entry_ids,
                "otherwise": _otherwise(operation, run),
                "after": after,
                "outcome": outcome,
                "limit": limit,
            },
        )
        return [Item(*row) for row in cursor.fetchall()]


def _otherwise(operation: Operation, run: Run) -> str | None:
    """The outcome of an entry of that run which has no attempt in it and was not left out."""
    if run.state in {RunState.PLANNED, RunState.CANCELLED}:
        return str(run.state)
    if run.state == RunState.FINISHED and not Action(operation.action).by_workers:
        return "succeeded"
    return None  # it went on in another run


def _parsed(cursor: str) -> tuple[int, UUID, int]:
    position, run_id, entry_id = cursor.split(".")
    return int(position), UUID(hex=run_id), int(entry_id)
