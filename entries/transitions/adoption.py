"""Entries that have failed elsewhere before they came: failed from the start."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from entries.sql import load
from entries.states import find_allowed_statuses
from entries.text import ErrorInfo

_SQL = load(__file__)


@dataclass(frozen=True, slots=True)
class Adoption:
    """What is known of the attempt that failed elsewhere; times are None where they are not."""

    external_id: str
    error: ErrorInfo
    queued_at: datetime | None = None
    started_at: datetime | None = None
    failed_at: datetime | None = None
    worker: str = ""

    def as_row(self) -> dict[str, Any]:
        times = {name: getattr(self, name) for name in ("queued_at", "started_at", "failed_at")}
        return {
            "external_id": self.external_id,
            "error_class": self.error.error_class,
            "message": self.error.message,
            "traceback": self.error.traceback,
            "fingerprint": self.error.fingerprint,
            "worker": self.worker[:200],
        } | {name: at.isoformat() for name, at in times.items() if at is not None}


class AdoptedEntry(NamedTuple):
    """An entry that was adopted, with the time of its failure: not in the future."""

    id: int
    external_id: str
    kind: str
    upstream: str
    failed_at: datetime


def adopt(adoptions: Sequence[Adoption], *, source_id: int) -> list[AdoptedEntry]:
    """Mark new entries of a source failed, each with the attempt that was made elsewhere.

    Only what is pending and was never tried is moved; those are returned, in id order.
    """
    params: dict[str, Any] = {
        "source_id": source_id,
        "sources": sorted(find_allowed_statuses("adopt")),
        "adoptions": json.dumps([adoption.as_row() for adoption in adoptions]),
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL["adopt"], params)
        return [AdoptedEntry._make(row) for row in cursor.fetchall()]
