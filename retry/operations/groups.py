"""What failed in an operation, by error group, newest first and within bounds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from entries.sql import load
from retry.access.visibility import sees_everything, visible_ids
from retry.operations.sight import FRAGMENTS, build_sight
from retry.outcomes import Actor

#: Failed attempts to look at, and entries of the runs to search for them.
NEWEST_FAILURES = 1_000
MOST_ENTRIES = 20_000

_SQL = load(__file__, include=FRAGMENTS)


@dataclass(frozen=True, slots=True)
class Group:
    fingerprint: str
    error_class: str
    #: Of the newest failure.
    message: str
    count: int


@dataclass(frozen=True, slots=True)
class Groups:
    """The largest first. ``bounded``: there are more failures than the ``looked_at``."""

    found: Sequence[Group]
    looked_at: int
    bounded: bool


def find_groups(operation_id: UUID, *, actor: Actor | None = None, limit: int = 20) -> Groups:
    """Return the ``limit`` largest groups among the newest failures of visible entries.

    Failures with an automatic retry scheduled count as well. Reads a few thousand short rows at
    most, whatever the operation's size.
    """
    bounds: dict[str, Any] = {
        "operation": operation_id,
        "failures": NEWEST_FAILURES,
        "entries": MOST_ENTRIES,
        **build_sight(actor),
    }
    with connection.cursor() as cursor:
        visible: list[int] | None = None
        if actor is not None and not sees_everything(actor):
            cursor.execute(_SQL["failed_entries"], bounds)
            visible = visible_ids((row[0] for row in cursor.fetchall()), actor=actor)
        cursor.execute(_SQL["groups"], {**bounds, "visible": visible})
        rows = cursor.fetchall()
    looked_at = sum(int(row[3]) for row in rows)
    failures = int(rows[0][4]) if rows else 0
    return Groups([Group(*row[:4]) for row in rows[:limit]], looked_at, failures > looked_at)
