"""The shapes of the status."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Self
from uuid import UUID

from retry.api.holds.schemas import StandingHold
from retry.api.http.schemas import Response
from retry.heartbeats import WorkerView
from retry.retention.overview import RuleView
from retry.status import Status


class WorkerStatus(Response):
    """``state``: idle, busy, waiting (for Redis), or silent: stopped, killed or cut off.

    ``run_id``, ``current_job`` and ``busy_since`` say what it works on, or did when last heard of.
    """

    name: str
    queues: list[str]
    state: str
    current_job: str | None
    last_heartbeat: datetime
    run_id: UUID | None
    busy_since: datetime | None
    host: str
    pid: int

    @classmethod
    def from_worker(cls, worker: WorkerView) -> Self:
        return cls(
            name=worker.name,
            queues=[worker.queue],
            state="silent" if worker.silent else worker.state,
            current_job=worker.job_id or None,
            last_heartbeat=worker.beat_at,
            run_id=worker.run_id,
            busy_since=worker.busy_since,
            host=worker.host,
            pid=worker.pid,
        )


class DispatcherStatus(Response):
    """``alive``: it has sent a heartbeat within the last ten seconds."""

    alive: bool
    beat_at: datetime | None
    host: str | None
    pid: int | None

    @classmethod
    def from_status(cls, status: Status) -> Self:
        beat = status.heartbeat
        return cls(
            alive=status.dispatcher_alive,
            beat_at=beat.beat_at if beat else None,
            host=beat.host if beat else None,
            pid=beat.pid if beat else None,
        )


class RetentionStatus(Response):
    """``keep_days``: null is forever, 0 until rows expire by themselves.

    ``last_removed``: rows that the last pass has deleted, which ended at ``last_pass``.
    """

    name: str
    keep_days: int | None
    last_removed: int
    last_pass: datetime | None

    @classmethod
    def from_view(cls, view: RuleView) -> Self:
        return cls(
            name=view.name,
            keep_days=view.days,
            last_removed=view.removed,
            last_pass=view.ended_at,
        )


class StatusResponse(Response):
    """``queues`` is null where Redis cannot be reached, ``entries`` for callers who may see none.
    Where sources are hidden from the caller, ``queues`` and ``retention`` are null as well,
    ``undispatched`` is 0 and ``oldest_queued_at`` null, and workers say what they are at only for
    visible runs.

    ``waits``: by queue, for how many seconds the oldest entry that could start has been waiting.
    ``holds``: those that stand. ``retention``: what is kept how long.
    """

    entries: dict[str, int] | None
    queues: dict[str, int] | None
    workers: list[WorkerStatus]
    dispatcher: DispatcherStatus
    undispatched: int
    oldest_queued_at: datetime | None
    waits: dict[str, float]
    redis: bool
    holds: list[StandingHold]
    retention: list[RetentionStatus] | None

    @classmethod
    def from_status(
        cls,
        status: Status,
        *,
        entries: Mapping[str, int] | None,
        holds: list[StandingHold],
        retention: Iterable[RuleView],
    ) -> Self:
        return cls(
            entries=None if entries is None else dict(entries),
            queues=None if status.narrowed else status.queues,
            workers=[WorkerStatus.from_worker(worker) for worker in status.workers],
            dispatcher=DispatcherStatus.from_status(status),
            undispatched=status.undispatched,
            oldest_queued_at=status.oldest_queued_at,
            waits={name: wait.total_seconds() for name, wait in status.waits.items()},
            redis=status.redis,
            holds=holds,
            retention=None
            if status.narrowed
            else [RetentionStatus.from_view(view) for view in retention],
        )
