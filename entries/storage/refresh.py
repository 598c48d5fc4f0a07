"""Storing what a resync has fetched for entries that a run holds."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from entries.sql import array, load
from entries.states import Change

_SQL = load(__file__)


@dataclass(frozen=True, slots=True)
class FreshContent:
    """What the source has of one entry now.

    ``title`` and ``payload`` are None where the entry is gone, and where nothing has changed. The
    hashes are of the stored content and of the source's. ``upstream`` belongs to the new payload.
    """

    entry_id: int
    change: Change
    hash_before: str
    hash_after: str
    title: str | None = None
    payload: Mapping[str, Any] | None = None
    upstream: str = ""


def refresh(found: Sequence[FreshContent], *, run_id: UUID) -> set[int]:
    """Store the source's content of entries that ``run_id`` holds; return the ids written.

    Their attempts note the change; their status stays ``running``.
    """
    params: dict[str, Any] = {
        "run_id": run_id,
        "ids": array(fresh.entry_id for fresh in found),
        "found": json.dumps([asdict(fresh) for fresh in found]),
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL["refresh"], params)
        return {row[0] for row in cursor.fetchall()}
