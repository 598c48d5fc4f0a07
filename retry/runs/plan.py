"""Planned runs of an operation: freeze a selection into them, cancel them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models.functions import Now

from entries.sql import load
from retry.models import Action, Operation, Run, RunState, Trigger

_SQL = load(__file__)


@dataclass(frozen=True, slots=True)
class RunSize:
    """How many ``entries`` of a kind make a run, and the queue that it waits in."""

    kind: str
    entries: int
    queue: str


def freeze(
    operation: Operation,
    *,
    selected: str,
    params: Mapping[str, Any],
    sizes: Sequence[RunSize],
) -> tuple[int, list[int]]:
    """Plan runs over a selection in one statement; return how many entries they hold, and of which
    sources, with 0 for what has none.

    ``selected`` is a query of (id, kind, source_id) with the named ``params``. In the caller's
    transaction. Memory here stays constant, whatever the size of the selection.
    """
    values: dict[str, Any] = {
        "operation": operation.pk,
        "trigger": Trigger.BULK_RETRY if operation.action == Action.RETRY else operation.action,
        "actor": operation.actor_id,
        "label": operation.actor_label,
        "reason": operation.reason,
        "resync": operation.action == Action.RESYNC,
        "only_if_changed": operation.only_if_changed,
        "kinds": [size.kind for size in sizes],
        "sizes": [size.entries for size in sizes],
        "queues": [size.queue for size in sizes],
    }
    # Django's own SQL, with its values bound like all others, so it cannot stand in the file.
    selection = f"WITH selected (id, kind, source_id) AS ({selected})"
    with connection.cursor() as cursor:
        cursor.execute(f"{selection}\n{_SQL['freeze']}", values | dict(params))
        cursor.execute(_SQL["planned_total"], {"operation": operation.pk})
        total, source_ids = cursor.fetchone()
    return int(total), source_ids


def cancel_planned_runs(operation: Operation) -> int:
    """Cancel the runs of an operation that were not started; return how many."""
    planned = Run.objects.filter(operation=operation, state=RunState.PLANNED)
    return planned.update(state=RunState.CANCELLED, ended_at=Now())
