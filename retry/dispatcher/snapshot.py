"""What PostgreSQL and Redis each say about runs, syncs and imports, as plain values."""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from retry import queue
from retry.intakes import rows
from retry.runs.backlog import find_startable_runs
from retry.runs.job_ids import dispatch_job_id

#: A run's or an import's id, or a sync's.
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
    """Read what is queued, then what Redis holds. Raises ``retry.errors.QueueUnavailable``.

    In this order a run that is handed over in between looks present. One that is claimed in between
    looks queued and absent, which is why ``compare`` must see it twice.
    """
    queued = tuple(
        WaitingRun(id_, dispatch_job_id(job_id, dispatches=dispatches - 1))
        for found in (
            find_startable_runs().filter(dispatched_at__isnull=False),
            rows.find_waiting_syncs(),
            rows.find_waiting_imports(),
        )
        for id_, job_id, dispatches in found.filter(dispatches__gt=0).values_list(
            "id", "job_id", "dispatches"
        )
    )
    broker = queue.observe(tuple(settings.REDRIVE_QUEUES))
    return Snapshot(queued, broker.waiting, broker.taken)
