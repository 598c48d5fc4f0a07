"""Handing over again what Redis lost, and finding runs whose lease has lapsed."""

import time
from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from retry.dispatcher.observe import WorkId, lapsed
from retry.intakes import handover as intakes
from retry.intakes import rows
from retry.models import Run, RunState
from retry.runs.handover import hand_over
from retry.runs.waiting import BY_AGE

#: After so long without a look PostgreSQL was away, or this process was.
AWAY_SECONDS = 3.0
#: What workers have then to come back.
PATIENCE_SECONDS = 3.0


def hand_over_again(missing: Sequence[WorkId]) -> int:
    """Runs, syncs and imports that Redis lost; returns how many reached it now."""
    ids = [id_ for id_ in missing if isinstance(id_, UUID)]  # no two tables share one
    runs = Run.objects.filter(id__in=ids, state=RunState.QUEUED).order_by(*BY_AGE)
    imports = rows.find_waiting_imports().filter(pk__in=ids).order_by("created_at")
    sync_ids = [id_ for id_ in missing if isinstance(id_, int)]
    syncs = rows.find_waiting_syncs().filter(pk__in=sync_ids).order_by("pk")
    return hand_over(list(runs)) + intakes.hand_over([*syncs, *imports])


class LapsedRuns:
    """Finds runs whose lease has lapsed, to be rescued: none just after PostgreSQL was away.

    No worker could renew then, and each that lives is about to write what it has done meanwhile.
    One object for each control loop, which is asked at every look.
    """

    def __init__(self) -> None:
        self._looked: float | None = None
        self._patient_until = 0.0

    def find(self, *, limit: int) -> list[Run]:
        now = time.monotonic()
        if self._was_away(now):
            self._patient_until = now + PATIENCE_SECONDS
        self._looked = now
        return [] if now < self._patient_until else lapsed(limit=limit)

    def _was_away(self, now: float) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SHOW transaction_read_only")
            if cursor.fetchone() == ("on",):
                return True
        # Looks that all take long must not put it off for ever.
        spared = now < self._patient_until + 5 * PATIENCE_SECONDS
        return self._looked is not None and now - self._looked > AWAY_SECONDS and not spared
