"""How an operation went over time: what became of its entries, in a bounded number of points."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from entries.sql import load
from retry.models import Operation
from retry.operations.sight import FRAGMENTS, build_sight
from retry.outcomes import Actor

#: Points of a timeline, however long the operation took.
POINTS = 60

_SQL = load(__file__, include=FRAGMENTS)


@dataclass(frozen=True, slots=True)
class Point:
    """Entries settled until ``seconds`` after the start; ``other``: skipped or cancelled."""

    seconds: float
    succeeded: int
    failed: int
    other: int
    remaining: int


def read_timeline(operation: Operation, *, actor: Actor) -> Sequence[Point]:
    """Read the timeline of what the actor may see, from the ends of its runs: from the operation's
    start until now or its end.

    ``operation``: as ``find_operation`` returns it. Empty where it has not begun. What a run has
    done shows when the run ends.
    """
    params = {
        "operation": operation.pk,
        "total": operation.total,
        "points": POINTS,
        **build_sight(actor),
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL["timeline"], params)
        rows = cursor.fetchall()
    points = []
    succeeded = failed = other = 0
    for seconds, total, more_succeeded, more_failed, more_other in rows:
        succeeded += int(more_succeeded)
        failed += int(more_failed)
        other += int(more_other)
        remaining = max(int(total) - succeeded - failed - other, 0)
        points.append(Point(float(seconds), succeeded, failed, other, remaining))
    return points
