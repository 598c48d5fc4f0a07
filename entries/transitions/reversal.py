"""Putting entries back to the status they had before a run queued them. Fenced by its id."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from entries.sql import array, load
from entries.states import AttemptStatus
from entries.text import ErrorInfo

_SQL = load(__file__)


@dataclass(frozen=True, slots=True)
class Reversal:
    """Why one entry is not processed: ``failed`` with an error, or ``unchanged``."""

    entry_id: int
    status: AttemptStatus
    error: ErrorInfo | None = None

    def as_row(self) -> dict[str, Any]:
        error = asdict(self.error) if self.error is not None else {}
        return {"id": self.entry_id, "status": self.status.value, **error}


def cancel(ids: Iterable[int], *, run_id: UUID) -> set[int]:
    """Reverse entries that ``run_id`` has queued and no worker has claimed; return their ids."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL["cancel"], {"ids": array(ids), "run_id": run_id})
        return {row[0] for row in cursor.fetchall()}


def revert(reversals: Sequence[Reversal], *, run_id: UUID) -> set[int]:
    """Reverse entries that ``run_id`` has claimed; return their ids. Their attempts say why."""
    params: dict[str, Any] = {
        "run_id": run_id,
        "ids": array(reversal.entry_id for reversal in reversals),
        "ended": json.dumps([reversal.as_row() for reversal in reversals]),
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL["revert"], params)
        return {row[0] for row in cursor.fetchall()}
