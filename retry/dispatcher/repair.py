"""Repair: what Redis lost is handed over again, and runs whose lease has expired are found."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from retry.dispatcher.snapshot import WorkId
from retry.intakes import handover as intakes
from retry.intakes import rows
from retry.models import Import, Intake, Run, Sync
from retry.runs.backlog import BY_AGE, find_lapsed_runs, find_startable_runs
from retry.runs.handover import hand_over
from retry.runs.job_ids import dispatch_job_id

T = TypeVar("T", Run, Sync, Import)

#: After so long without a look PostgreSQL was away, or this process was stopped.
AWAY_SECONDS = 3.0
#: How long workers have then to renew their leases.
PATIENCE_SECONDS = 3.0


def hand_over_again(missing: Mapping[WorkId, str]) -> int:
    """Hand over runs, syncs and imports whose last job Redis lost; return how many reached it now.

    What has had another job meanwhile, or may not begin any more, is left alone.
    """

    def find(waiting: QuerySet[T], ids: Iterable[Any], *order: str) -> list[T]:
        found = waiting.filter(pk__in=list(ids)).order_by(*order)
        return [row for row in found if missing[row.pk] == _name_last_job(row)]

    shared = [id_ for id_ in missing if isinstance(id_, UUID)]  # of runs and imports
    runs = find(find_startable_runs(), shared, *BY_AGE)
    imports = find(rows.find_waiting_imports(), shared, "created_at")
    syncs = find(rows.find_waiting_syncs(), missing.keys() - set(shared), "pk")
    return hand_over(runs) + intakes.hand_over([*syncs, *imports])


def _name_last_job(row: Run | Intake) -> str:
    return dispatch_job_id(row.job_id, dispatches=row.dispatches - 1)


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
