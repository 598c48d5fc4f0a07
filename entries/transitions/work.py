"""What a worker does to entries of its run: claim, begin, finish, reassign. Fenced by its id."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from entries.sql import array, load
from entries.states import EntryStatus
from entries.text import ErrorInfo

_SQL = load(__file__)


class ClaimedEntry(NamedTuple):
    """One entry claimed for a run, with everything that processing needs.

    A tuple, like ``Outcome``, because thousands are made in a second.
    """

    id: int
    kind: str
    source: str | None
    external_id: str
    title: str
    payload: dict[str, Any]
    attempt: int
    automatic_attempts: int
    is_rescan: bool
    change: str
    upstream: str


class Outcome(NamedTuple):
    """How one attempt ended. ``delay``: seconds until a ``scheduled`` entry is retried."""

    entry_id: int
    status: EntryStatus
    result: Mapping[str, Any] | None = None
    error: ErrorInfo | None = None
    delay: float | None = None
    #: It failed with a transient error.
    transient: bool = False
    #: The entry's.
    upstream: str = ""
    #: That processing took; None where nothing was processed.
    seconds: float | None = None

    def as_row(self) -> dict[str, Any]:
        row: dict[str, Any] = {
            "id": self.entry_id,
            "status": self.status.value,
            "result": self.result,
        }
        if self.error is not None:
            row |= {
                "error_class": self.error.error_class,
                "message": self.error.message,
                "traceback": self.error.traceback,
                "fingerprint": self.error.fingerprint,
                "delay": self.delay,
                "transient": self.transient,
            }
        return row


def claim(
    ids: Iterable[int], *, run_id: UUID, worker: str, held: Sequence[str] = ()
) -> list[ClaimedEntry]:
    """Claim those of ``ids`` that are queued in the run, and return them in id order.

    Entries of an upstream in ``held`` stay queued. May be repeated: what the same ``worker`` has
    claimed and not finished is returned again.
    """
    params: dict[str, Any] = {
        "ids": array(ids),
        "run_id": run_id,
        "worker": worker[:200],
        "held": list(held),
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL["claim"], params)
        rows = cursor.fetchall()
    # Parsed together: most of what a small payload costs is the call.
    payloads = json.loads(f"[{','.join(row[5] for row in rows)}]")
    return [
        ClaimedEntry._make((*row[:5], payload, *row[6:]))
        for row, payload in zip(rows, payloads, strict=True)
    ]


def begin(ids: Iterable[int], *, run_id: UUID) -> None:
    """Mark the attempts of entries that ``run_id`` holds as begun.

    An attempt that is lost after this counts against its kind's ``rescue_limit``.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SQL["begin"], {"ids": array(ids), "run_id": run_id})


def finish(outcomes: Sequence[Outcome], *, run_id: UUID) -> set[int]:
    """Write the outcomes of entries that ``run_id`` still holds; return the ids written.

    Missing ids were rescued after their lease expired.
    """
    params: dict[str, Any] = {
        "run_id": run_id,
        "ids": array(outcome.entry_id for outcome in outcomes),
    }
    if all(outcome.status is EntryStatus.SUCCEEDED for outcome in outcomes):
        statement = _SQL["finish_succeeded"]
        params["results"] = json.dumps([outcome.result for outcome in outcomes])
    else:
        statement = _SQL["finish"]
        params["outcomes"] = json.dumps([outcome.as_row() for outcome in outcomes])
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return {row[0] for row in cursor.fetchall()}


def find_finished(ids: Iterable[int], *, run_id: UUID) -> set[int]:
    """Return those of ``ids`` whose work under ``run_id`` has ended.

    For a caller of ``finish`` who did not get its answer.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SQL["find_finished"], {"ids": array(ids), "run_id": run_id})
        return {row[0] for row in cursor.fetchall()}


def reassign(ids: Iterable[int], *, run_id: UUID, new_run_id: UUID) -> dict[int, int]:
    """Give queued entries of one run to another: the same attempt, a new fence.

    Returns entry id -> attempt for those that were moved.
    """
    params: dict[str, Any] = {"ids": array(ids), "run_id": run_id, "new_run_id": new_run_id}
    with connection.cursor() as cursor:
        cursor.execute(_SQL["reassign"], params)
        return dict(cursor.fetchall())
