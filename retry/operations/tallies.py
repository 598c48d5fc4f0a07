"""How far several operations are, in one query: for lists."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from entries.sql import load
from retry.operations.sight import FRAGMENTS, build_sight
from retry.outcomes import Actor

_SQL = load(__file__, include=FRAGMENTS)


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of entries that have settled in their operation."""

    succeeded: int = 0
    failed: int = 0
    scheduled: int = 0
    skipped: int = 0
    unchanged: int = 0
    cancelled: int = 0


def read_tallies(
    operation_ids: Iterable[UUID], *, actor: Actor | None = None
) -> Mapping[UUID, Tally]:
    """Return tallies by operation, of what the actor may see; None sees all of it.

    An operation without runs is missing.
    """
    params = {"operations": list(operation_ids), **build_sight(actor)}
    with connection.cursor() as cursor:
        cursor.execute(_SQL["tallies"], params)
        return {row[0]: Tally(*(int(count) for count in row[1:])) for row in cursor.fetchall()}
