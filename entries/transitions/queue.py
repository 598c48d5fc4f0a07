"""Queueing entries: the one statement behind every retry, resync, wake, probe and submit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from entries.sql import array, load
from entries.states import EntryStatus, find_allowed_statuses

_SQL = load(__file__)
#: ``picking`` and ``moving``, for the statement that queues entries in new runs.
FRAGMENTS = _SQL.fragments


@dataclass(frozen=True, slots=True)
class QueueResult:
    """One entry after it was queued or left alone. ``run_id`` is None where it was not moved."""

    id: int
    #: Before; None where there is no such entry.
    status: EntryStatus | None
    #: After.
    attempt: int
    run_id: UUID | None
    source_id: int | None


def queue(ids: Iterable[int], *, verb: str, run_ids: Sequence[UUID]) -> list[QueueResult]:
    """Move the entries that ``verb`` allows to ``queued``, into the runs ``run_ids``, one for each
    of ``ids``; return those that were not moved, in id order.

    Every verb but ``wake`` starts a new cycle of automatic retries. ``resync`` moves only entries
    with a source.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _SQL["queue"], build_parameters(ids, verb=verb) | {"run_ids": array(run_ids)}
        )
        return [
            QueueResult(id_, EntryStatus(status) if status else None, *rest)
            for id_, status, *rest in cursor.fetchall()
        ]


def build_parameters(ids: Iterable[int], *, verb: str) -> dict[str, Any]:
    """Return the parameters of ``picking`` and ``moving``."""
    return {
        "ids": array(ids),
        "sources": sorted(find_allowed_statuses(verb)),
        "new_cycle": verb != "wake",
        "resync": verb == "resync",
    }


def lock_free(ids: Iterable[int]) -> list[int]:
    """Lock the entries that no other transaction has locked; return their ids in order.

    In the caller's transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SQL["lock_free"], {"ids": array(ids)})
        return [id_ for (id_,) in cursor.fetchall()]
