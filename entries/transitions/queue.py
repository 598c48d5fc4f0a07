"""Queueing entries: the one statement behind every retry, resync, wake, probe and submit."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from entries.sql import array, load
from entries.states import EntryStatus, find_allowed_statuses

_SQL = load(__file__)


@dataclass(frozen=True, slots=True)
class QueueResult:
    """One entry after a ``queue`` statement. ``run_id`` is None where it was not moved."""

    id: int
    kind: str
    #: Before the statement; None where there is no such entry.
    status: EntryStatus | None
    #: After the statement.
    attempt: int
    run_id: UUID | None
    source_id: int | None
    #: The upstream of its run, where that is on hold: such entries have runs of their own.
    upstream: str = ""


def queue(
    ids: Iterable[int],
    *,
    verb: str,
    run_ids: Sequence[UUID] | None = None,
    run_sizes: Mapping[str, int] | None = None,
    held: Collection[tuple[str, str]] = (),
) -> list[QueueResult]:
    """Move the entries that ``verb`` allows to ``queued``; return results in id order.

    With ``run_ids``, one for each of ``ids``, entries go into these runs, and only those that were
    not moved are returned. Without, they are grouped into new runs by kind and source, at most
    ``run_sizes[kind]`` (else 1) in each; entries of an upstream in ``held``, as (kind, upstream),
    get runs of their own. All of ``ids`` are returned then.

    Every verb but ``wake`` starts a new cycle of automatic retries. ``resync`` moves only entries
    with a source. ``wake`` skips, and does not return, entries that another transaction has locked;
    it must be called in a transaction.
    """
    # No person waits for a wake: what is locked now is due at the next look as well.
    wanted = _lock_free(ids) if verb == "wake" else list(ids)
    sizes = run_sizes or {}
    params: dict[str, Any] = {
        "ids": array(wanted),
        "run_ids": None if run_ids is None else array(run_ids),
        "kinds": list(sizes),
        "sizes": list(sizes.values()),
        "held_kinds": [kind for kind, _ in held],
        "held_upstreams": [upstream for _, upstream in held],
        "sources": sorted(find_allowed_statuses(verb)),
        "new_cycle": verb != "wake",
        "resync": verb == "resync",
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL["queue"], params)
        return [
            QueueResult(id_, kind, EntryStatus(status) if status else None, *rest)
            for id_, kind, status, *rest in cursor.fetchall()
        ]


def _lock_free(ids: Iterable[int]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_SQL["lock_free"], {"ids": array(ids)})
        return [id_ for (id_,) in cursor.fetchall()]
