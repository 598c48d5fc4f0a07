"""The status of queues, workers, dispatcher and holds, for the API and the admin's pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from entries.sql import load
from retry import heartbeats, queue
from retry.access.records import visible_runs
from retry.access.visibility import find_sources
from retry.errors import QueueUnavailable
from retry.heartbeats import WorkerView
from retry.holds.overview import list_active, shield
from retry.intakes.handover import QUEUE
from retry.models import Heartbeat, Hold
from retry.outcomes import Actor
from retry.runs.backlog import WAITS, build_wait_params

#: A dispatcher without a heartbeat for longer does not work.
SILENCE = timedelta(seconds=10)
#: Work that could start and has waited for longer shows that something is missing.
PATIENCE = timedelta(seconds=15)

_SQL = load(__file__, include=WAITS)


@dataclass(frozen=True, slots=True)
class Status:
    """``queues``: jobs by queue, None where Redis cannot be reached."""

    queues: dict[str, int] | None
    workers: list[WorkerView]
    heartbeat: Heartbeat | None
    #: Runs that wait for the dispatcher because Redis was away.
    undispatched: int = 0
    oldest_queued_at: datetime | None = None
    holds: tuple[Hold, ...] = ()
    #: Numbers of jobs and runs, and what workers are at, are left out: something is hidden.
    narrowed: bool = False
    #: By queue: how long the oldest work that could start has waited.
    waits: Mapping[str, timedelta] = field(default_factory=dict)

    @property
    def redis(self) -> bool:
        return self.queues is not None

    @property
    def dispatcher_alive(self) -> bool:
        return self.heartbeat is not None and timezone.now() - self.heartbeat.beat_at < SILENCE

    @property
    def silent_workers(self) -> Sequence[WorkerView]:
        return [worker for worker in self.workers if worker.silent]

    @property
    def living_workers(self) -> int:
        """How many workers report."""
        return sum(not worker.silent for worker in self.workers)

    @property
    def longest_wait(self) -> timedelta | None:
        """How long the oldest work that could start has waited; None where nothing waits."""
        return max(self.waits.values(), default=None)

    def find_workers(self, name: str) -> Sequence[WorkerView]:
        """Return the workers of a queue that are not silent."""
        return [w for w in self.workers if w.queue == name and not w.silent]

    @property
    def idle_queues(self) -> list[str]:
        """Queues without a worker."""
        return [name for name in settings.REDRIVE_QUEUES if not self.find_workers(name)]

    @property
    def overdue(self) -> Mapping[str, timedelta]:
        """Those of ``waits`` that are too long."""
        return {name: wait for name, wait in self.waits.items() if wait > PATIENCE}


def read(*, counting: bool = True) -> Status:
    """Read the status. Without ``counting`` only what alarms are made of, cheap enough for every
    page: ``holds`` are none, and of what waits only how long.
    """
    queues: dict[str, int] | None
    try:
        queues = queue.count_jobs(tuple(settings.REDRIVE_QUEUES))
    except QueueUnavailable:
        queues = None
    backlog = _read_backlog()
    engine = Status(
        queues=queues,
        workers=heartbeats.list_workers(),
        heartbeat=Heartbeat.objects.filter(name=Heartbeat.DISPATCHER).first(),
        waits={name: waiting.wait for name, waiting in backlog.items()},
    )
    if not counting:
        return engine
    oldest = [waiting.oldest for waiting in backlog.values() if waiting.oldest]
    return replace(
        engine,
        undispatched=sum(waiting.undispatched for waiting in backlog.values()),
        oldest_queued_at=min(oldest, default=None),
        holds=tuple(list_active()),
    )


def narrow(status: Status, *, actor: Actor) -> Status:
    """Return the status as the actor may see it: the state of the engine, and no number that counts
    what is hidden, nor the name of hidden work.
    """
    if find_sources(actor).everything:
        return status
    runs = [worker.run_id for worker in status.workers if worker.run_id is not None]
    seen = set(visible_runs(actor).filter(pk__in=runs).values_list("pk", flat=True))
    return replace(
        status,
        narrowed=True,
        workers=[
            worker if worker.run_id in seen else replace(worker, run_id=None, job_id="")
            for worker in status.workers
        ],
        undispatched=0,
        oldest_queued_at=None,
        holds=tuple(shield(list_active(actor), actor=actor)),
    )


@dataclass(frozen=True, slots=True)
class _Backlog:
    """What could begin in a queue; ``oldest`` and ``undispatched`` of runs alone."""

    wait: timedelta
    oldest: datetime | None
    undispatched: int


def _read_backlog() -> Mapping[str, _Backlog]:
    found: dict[str, _Backlog] = {}
    with connection.cursor() as cursor:
        cursor.execute(_SQL["backlog"], {"sync_queue": QUEUE, **build_wait_params()})
        for queue_name, *values in cursor.fetchall():
            found[queue_name] = _Backlog(*values)  # syncs come last
    return found
