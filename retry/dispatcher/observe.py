"""What PostgreSQL and Redis each say about runs, syncs and imports, as plain values."""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Now

from retry import queue
from retry.intakes import rows
from retry.models import Run, RunState
from retry.runs.job_ids import dispatch_job_id
from retry.runs.waiting import find_startable

#: Of a run or an import, or of a sync.
WorkId = UUID | int


@dataclass(frozen=True, slots=True)
class WaitingRun:
    """A run, sync or import that PostgreSQL says is queued, and its last job's id."""

    id: WorkId
    job_id: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """``waiting`` and ``taken`` are job ids that Redis holds."""

    queued: tuple[WaitingRun, ...]
    waiting: frozenset[str]
    taken: frozenset[str]


def observe() -> Snapshot:
    """Raises ``retry.errors.QueueUnavailable``.

    PostgreSQL is read first: a run that is handed over in between then looks present. One that is
    claimed in between looks queued and absent, which is why ``compare`` wants to see it twice.
    """
    queued = tuple(
        WaitingRun(id_, dispatch_job_id(job_id, dispatches=dispatches - 1))
        for found in (
            find_startable().filter(dispatched_at__isnull=False),
            rows.find_waiting_syncs(),
            rows.find_waiting_imports(),
        )
        for id_, job_id, dispatches in found.filter(dispatches__gt=0).values_list(
            "id", "job_id", "dispatches"
        )
    )
    broker = queue.observe(tuple(settings.RQ_QUEUES))
    return Snapshot(queued, broker.waiting, broker.taken)


def lapsed(*, limit: int) -> list[Run]:
    """Runs whose worker has not renewed its lease, longest first."""
    found = Run.objects.filter(state=RunState.RUNNING, lease_expires_at__lt=Now())
    return list(found.order_by("lease_expires_at")[:limit])
