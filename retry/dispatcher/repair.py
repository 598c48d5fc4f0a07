"""Repair: what Redis lost is handed over again, and runs whose lease has expired are found."""

import time
from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from retry.dispatcher.snapshot import WorkId
from retry.intakes import handover as intakes
from retry.intakes import rows
from retry.models import Run, RunState
from retry.runs.backlog import BY_AGE, find_lapsed_runs
from retry.runs.handover import hand_over

#: After so long without a look PostgreSQL was away, or this process was stopped.
AWAY_SECONDS = 3.0
#: How long workers have then to renew their leases.
PATIENCE_SECONDS = 3.0


def hand_over_again(missing: Sequence[WorkId]) -> int:
    """Hand over runs, syncs and imports that Redis lost; return how many reached it now."""
    ids = [id_ for id_ in missing if isinstance(id_, UUID)]  # unique over runs and imports
    runs = Run.objects.filter(id__in=ids, state=RunState.QUEUED).order_by(*BY_AGE)
    imports = rows.find_waiting_imports().filter(pk__in=ids).order_by("created_at")
    sync_ids = [id_ for id_ in missing if isinstance(id_, int)]
    syncs = rows.find_waiting_syncs().filter(pk__in=sync_ids).order_by("pk")
    return hand_over(list(runs)) + intakes.hand_over([*syncs, *imports])


class LapsedRuns:
    """Find runs to rescue because their lease has expired, but none just after PostgreSQL was away:
    no worker could renew then, and each living one is about to write what it has done.

    One object for each control loop, which calls it at every tick.
    """

    def __init__(self) -> None:
        self._looked: float | None = None
        self._patient_until = 0.0

    def find(self, *, limit: int) -> list[Run]:
        now = time.monotonic()
        if self._was_away(now):
            self._patient_until = now + PATIENCE_SECONDS
        self._looked = now
        return [] if now < self._patient_until else find_lapsed_runs(limit=limit)

    def _was_away(self, now: float) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SHOW transaction_read_only")
            if cursor.fetchone() == ("on",):
                return True
        # Ticks that all take long must not delay the rescue forever.
        was_patient = now < self._patient_until + 5 * PATIENCE_SECONDS
        return self._looked is not None and now - self._looked > AWAY_SECONDS and not was_patient
