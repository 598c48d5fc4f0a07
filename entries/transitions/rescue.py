"""Taking entries from a dead worker. Fenced by the id of its run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from entries.sql import array, load
from entries.text import ErrorInfo

_SQL = load(__file__)


@dataclass(frozen=True, slots=True)
class RescuedEntry:
    """One entry taken from a dead worker: queued in ``run_id``, or failed where that is None."""

    id: int
    kind: str
    attempt: int
    run_id: UUID | None


def rescue(
    ids: Iterable[int],
    *,
    run_id: UUID,
    rescue_limits: Mapping[str, int],
    error: ErrorInfo,
    began: bool = False,
) -> list[RescuedEntry]:
    """Take entries from a run whose worker died while running them; return them in id order.

    Each is queued alone under a run id of its own, so that an entry that kills workers takes no
    other along; after ``rescue_limits[kind]`` losses in a row it fails with ``error``. Only
    attempts that had begun count: those marked by ``begin``, and with ``began`` all of ``ids``.
    """
    params: dict[str, Any] = {
        "ids": array(ids),
        "run_id": run_id,
        "kinds": list(rescue_limits),
        "limits": list(rescue_limits.values()),
        "error_class": error.error_class,
        "message": error.message,
        "fingerprint": error.fingerprint,
        "began": began,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL["rescue"], params)
        return [RescuedEntry(*row) for row in cursor.fetchall()]


def release(ids: Iterable[int], *, run_id: UUID) -> list[int]:
    """Put entries that a dead worker had claimed and not begun back into their run's queue.

    They stay in the same attempt. Returns their ids in id order.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SQL["release"], {"ids": array(ids), "run_id": run_id})
        return [row[0] for row in cursor.fetchall()]
