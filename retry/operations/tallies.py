"""How far several operations are, in one read: for lists."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import connection


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of entries of which nothing more is to be expected in their operation."""

    succeeded: int = 0
    failed: int = 0
    scheduled: int = 0
    skipped: int = 0
    unchanged: int = 0
    cancelled: int = 0


_TALLIES = """
SELECT operation_id, sum(succeeded), sum(failed), sum(scheduled), sum(skipped_count),
       sum(unchanged),
       sum(CASE state WHEN 'cancelled' THEN size - skipped_count - handed_on ELSE cancelled END)
FROM retry_run WHERE operation_id = ANY(%s) GROUP BY operation_id
"""


def tallies(operation_ids: Iterable[UUID]) -> Mapping[UUID, Tally]:
    """By operation; one without runs is not among them."""
    with connection.cursor() as cursor:
        cursor.execute(_TALLIES, [list(operation_ids)])
        return {row[0]: Tally(*(int(count) for count in row[1:])) for row in cursor.fetchall()}
