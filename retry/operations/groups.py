"""What failed in an operation, by group of error, newest first and within bounds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from retry.access.visibility import sees_everything, visible_entries
from retry.operations.selection import sql_of
from retry.outcomes import Actor

#: Failed attempts that are looked at, and entries of the runs that are searched for them.
NEWEST_FAILURES = 1_000
MOST_ENTRIES = 20_000


@dataclass(frozen=True, slots=True)
class Group:
    fingerprint: str
    error_class: str
    #: Of the newest of them.
    message: str
    count: int


@dataclass(frozen=True, slots=True)
class Groups:
    """The largest first. ``bounded``: there are more failures than the ``looked_at``."""

    found: Sequence[Group]
    looked_at: int
    bounded: bool


_GROUPS = """
WITH placed AS (
    SELECT id, entry_ids, failed + scheduled AS failures,
           coalesce(sum(failed + scheduled) OVER newest, 0) AS failures_before,
           coalesce(sum(size) OVER newest, 0) AS entries_before
    FROM retry_run WHERE operation_id = %(operation)s AND failed + scheduled > 0
    WINDOW newest AS (ORDER BY started_at DESC NULLS LAST, position DESC, id
                      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), newest_failures AS (
    SELECT a.fingerprint, a.error_class, a.error_message, a.ended_at
    FROM placed p CROSS JOIN unnest(p.entry_ids) AS u (id)
    JOIN entries_attempt a ON a.entry_id = u.id AND a.run_id = p.id AND a.status = 'failed'{seen}
    WHERE p.failures_before < %(failures)s AND p.entries_before < %(entries)s
    ORDER BY p.failures_before LIMIT %(failures)s
)
SELECT fingerprint, (array_agg(error_class ORDER BY ended_at DESC))[1],
       (array_agg(error_message ORDER BY ended_at DESC))[1], count(*),
       (SELECT sum(failures) FROM placed)
FROM newest_failures GROUP BY fingerprint ORDER BY count(*) DESC, fingerprint
"""


def groups(operation_id: UUID, *, actor: Actor | None = None, limit: int = 20) -> Groups:
    """The ``limit`` largest groups among the newest failures, those with an automatic retry
    to come included; of entries that the actor may see. Reads some thousand short rows at the
    most, whatever the size.
    """
    params: dict[str, Any] = {
        "operation": operation_id,
        "failures": NEWEST_FAILURES,
        "entries": MOST_ENTRIES,
    }
    seen = ""
    if actor is not None and not sees_everything(actor):
        text, values = sql_of(visible_entries(actor).order_by().values("pk"))
        seen, params = f" AND a.entry_id IN ({text})", params | values
    with connection.cursor() as cursor:
        cursor.execute(_GROUPS.format(seen=seen), params)
        rows = cursor.fetchall()
    looked_at = sum(int(row[3]) for row in rows)
    failures = int(rows[0][4]) if rows else 0
    return Groups([Group(*row[:4]) for row in rows[:limit]], looked_at, failures > looked_at)
