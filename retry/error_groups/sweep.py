"""Failed entries whose group does not know them: from before an upgrade, or failed by no worker."""

import time
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from entries.models import NOTICE_SOURCE_KIND
from entries.sql import load
from retry.error_groups.recording import FoldedFailures, record_failures
from retry.outcome_counts import describe_alike

_SQL = load(__file__)

#: Fingerprints of one step, and failed entries of each that are read for its kinds and upstreams.
BATCH = 200
SAMPLE = 100
#: Between the end of one pass over all fingerprints and the next.
PAUSE_SECONDS = 60.0


class GroupSweep:
    """Visits the fingerprints of failed entries in order, a batch at each step."""

    def __init__(self, *, pause_seconds: float = PAUSE_SECONDS) -> None:
        self._pause_seconds = pause_seconds
        self._after = ""
        self._ended_at = -pause_seconds

    def step(self) -> int:
        """Visit the next fingerprints; return how many groups were created or touched."""
        if not self._after and time.monotonic() - self._ended_at < self._pause_seconds:
            return 0
        params: dict[str, Any] = {"after": self._after, "batch": BATCH, "sample": SAMPLE}
        params["notices"] = NOTICE_SOURCE_KIND
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_SQL["find_unknown"], params)
            rows = cursor.fetchall()
            # The newest entry is missing where only deliveries of notices have failed so.
            found = [_build(row[1:]) for row in rows if row[1] and row[8]]
            record_failures([failures for group in found for failures in group])
        self._after = rows[-1][0] if len(rows) >= BATCH else ""
        if not self._after:
            self._ended_at = time.monotonic()
        return len(found)


def _build(row: Sequence[Any]) -> list[FoldedFailures]:
    """Build what a fold would have reported, without a number: that has counted them, or will."""
    fingerprint, error_class, message, kinds, upstreams, first_at, last_at, sample = row
    return [
        FoldedFailures(
            fingerprint=fingerprint,
            error_class=error_class,
            message=describe_alike(message),
            kind=kind,
            source_id=None,
            upstreams=upstreams,
            count=0,
            first_at=first_at,
            last_at=last_at,
            sample_entry_id=sample,
        )
        for kind in kinds
    ]
