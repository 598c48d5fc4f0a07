"""The canary of an operation, and the steps of its ramp: drawn from its planned runs."""

from typing import Any

from django.db import connection

from entries.sql import load
from retry.models import Action, Operation, Run, RunState
from retry.runs.hold_condition import FRAGMENTS

_SQL = load(__file__, include=FRAGMENTS)

#: Planned entries among which error groups are looked for. A group that is in none of the runs
#: looked at is far smaller than a hundredth of the operation.
LOOKED_AT = 50_000


def draw_canary(operation: Operation, *, wanted: int, held_too: bool = True) -> int:
    """Make ``wanted`` planned entries the canary and return how many were found.

    They are drawn across error groups, so that each large one is among them. Held runs are drawn
    only where no other is left, and never unless ``held_too``. In the caller's transaction, which
    holds the operation's lock.
    """
    params: dict[str, Any] = {
        "operation": operation.pk,
        "wanted": wanted,
        "looked_at": max(LOOKED_AT, 2 * wanted),
        "held_too": held_too,
        "by_workers": Action(operation.action).by_workers,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL["draw_canary"], params)
        return int(cursor.fetchone()[0])


def dismiss_canary(operation: Operation) -> int:
    """Return the held rest of a canary that has passed to the other runs; count the runs."""
    waiting = (RunState.PLANNED, RunState.QUEUED)
    rest = Run.objects.filter(operation=operation, canary=True, state__in=waiting)
    return rest.update(canary=False)
