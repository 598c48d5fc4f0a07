"""How an operation went over time: what became of its entries, in a bounded number of points."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from entries.sql import load

#: Points of a timeline, however long the operation took.
POINTS = 60

_SQL = load(__file__)


@dataclass(frozen=True, slots=True)
class Point:
    """Entries settled until ``seconds`` after the start; ``other``: skipped or cancelled."""

    seconds: float
    succeeded: int
    failed: int
    other: int
    remaining: int


def read_timeline(operation_id: UUID) -> Sequence[Point]:
    """Read an operation's timeline from the ends of its runs, from its start until now or its end.

    Empty where it has not begun. What a run has done shows when the run ends.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SQL["timeline"], {"operation": operation_id, "points": POINTS})
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
