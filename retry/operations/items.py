"""What became of each entry of an operation, page by page."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection
from django.db.models import Q

from entries.sql import load
from retry.access.records import visible_runs
from retry.access.visibility import visible_ids
from retry.models import BY_NO_WORKER, Operation, Run, RunState
from retry.outcomes import Actor
from retry.pages import Cursor, InvalidCursor, Keyset, Page, parse_id, parse_number, parse_uuid

_SQL = load(__file__)

_RUN_ORDER = Keyset(
    columns=("position", "pk"), parsers=(parse_number, parse_uuid), newest_first=False
)


def _parse_part(text: str) -> int:
    number = parse_number(text)
    if number > 1:
        raise InvalidCursor
    return number


#: The canary, which is part 0, then the rest; each by run, and within a run by entry.
ITEM_ORDER = Keyset(
    columns=("part", "position", "pk", "entry_id"),
    parsers=(_parse_part, parse_number, parse_uuid, parse_id),
    newest_first=False,
)


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


#: The outcomes to ask for, and the runs that may hold them.
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


def list_items(
    operation: Operation,
    *,
    actor: Actor | None = None,
    outcome: str | None = None,
    cursor: Cursor | None = None,
    limit: int = 100,
) -> Page[Item]:
    """Read entries in the operation's order; one that went on in another run is listed there.

    Without entries of sources that are hidden from the actor, and without the errors of those that
    they may not see; None sees them all.
    ``cursor``: of ``ITEM_ORDER``. Raises ``ValueError`` for an unknown outcome.
    """
    if outcome is not None and outcome not in OUTCOMES:
        raise ValueError(f"outcome must be one of: {', '.join(OUTCOMES)}")
    found: list[Item] = []
    last: Cursor | None = None
    for run, after in _list_runs(operation, outcome, cursor, actor=actor):
        left = limit + 1 - len(found)
        for item in _read_run(run, outcome, ids=run.entry_ids, after=after, limit=left):
            if len(found) == limit:
                return Page(_hide_errors(found, actor), last)
            found.append(item)
            last = Cursor((int(not run.canary), run.position, run.pk, item.entry_id))
    return Page(_hide_errors(found, actor), None)


def list_run_items(run: Run, *, actor: Actor) -> list[Item] | None:
    """Read the entries of a run that the actor may see; None where that is none of them.

    Entries that went on in another run are left out.
    """
    ids = visible_ids(run.entry_ids, actor=actor)
    return _read_run(run, None, ids=ids, after=0, limit=len(ids)) if ids else None


def _hide_errors(found: list[Item], actor: Actor | None) -> list[Item]:
    if actor is None:
        return found
    ids = [item.entry_id for item in found if item.error_class or item.error_message]
    hidden = set(ids).difference(visible_ids(ids, actor=actor))
    return [
        replace(item, error_class="", error_message="") if item.entry_id in hidden else item
        for item in found
    ]


def _list_runs(
    operation: Operation, outcome: str | None, cursor: Cursor | None, *, actor: Actor | None
) -> Iterator[tuple[Run, int]]:
    """Yield the runs that may hold such items, each with the entry id after which to read.

    Two queries, so that each reads by the index.
    """
    visible = Run.objects.all() if actor is None else visible_runs(actor)
    runs = visible.filter(operation=operation).order_by("position", "id")
    if outcome is not None:
        runs = runs.filter(OUTCOMES[outcome])
    parts = [runs.filter(canary=True), runs.filter(canary=False)]
    run_id, after = None, 0
    if cursor is not None:
        part, position, run_id, entry_id = cursor.place
        after = int(str(entry_id))
        rest = Q(pk=run_id) | _RUN_ORDER.behind(Cursor((position, run_id)))
        parts = parts[int(str(part)) :]
        parts[0] = parts[0].filter(rest)
    for found in parts:
        for run in found.iterator(chunk_size=50):
            yield run, after if run.pk == run_id else 0


def _read_run(
    run: Run, outcome: str | None, *, ids: list[int], after: int, limit: int
) -> list[Item]:
    with connection.cursor() as cursor:
        cursor.execute(
            _SQL["run_items"],
            {
                "run": run.pk,
                "ids": ids,
                "otherwise": _default_outcome(run),
                "after": after,
                "outcome": outcome,
                "limit": limit,
            },
        )
        return [Item(*row) for row in cursor.fetchall()]


def _default_outcome(run: Run) -> str | None:
    """The outcome of an entry of the run that has no attempt in it and was not skipped."""
    if run.state in {RunState.PLANNED, RunState.CANCELLED}:
        return str(run.state)
    if run.state == RunState.FINISHED and run.trigger in BY_NO_WORKER:
        return "succeeded"
    return None  # it went on in another run
