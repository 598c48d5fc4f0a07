"""What busy workers are at: their runs, and how many entries of them are under way."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from entries.sql import load

_SQL = load(__file__)


@dataclass(frozen=True, slots=True)
class WorkerTask:
    """A run that a worker has claimed; ``under_way``: its entries that are being processed."""

    run_id: UUID
    operation_id: UUID | None
    kind: str
    under_way: int


def read_tasks(run_ids: Iterable[UUID]) -> Mapping[UUID, Sequence[WorkerTask]]:
    """Read the running runs by the run that each heartbeat names, in one statement.

    A work-horse continues with other runs than the one that its worker was given, and several at a
    time where they wait.
    """
    named = list(run_ids)
    found: dict[UUID, list[WorkerTask]] = defaultdict(list)
    if named:
        with connection.cursor() as cursor:
            cursor.execute(_SQL["worker_tasks"], {"runs": named})
            for first, *task in cursor.fetchall():
                found[first].append(WorkerTask(*task))
    return found
