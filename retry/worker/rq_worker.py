"""The worker: RQ's, hardened. A horse never outlives its worker, and a worker outlives Redis."""

import ctypes
import logging
import os
import signal
import time
from contextlib import suppress
from types import FrameType
from typing import Any, cast
from uuid import UUID

from django.db import connections
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Worker
from rq.exceptions import DeserializationError
from rq.executions import Execution
from rq.job import Job
from rq.queue import Queue
from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty

from retry.heartbeats import Pulse, Task
from retry.models import WorkerState
from retry.queue import EXECUTE_RUN, RunQueue, mend
from retry.worker import execution
from retry.worker.activity import HORSE
from retry.worker.death import settle_death
from retry.worker.lease import Watch
from retry.worker.rq_job import RunJob

logger = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


class EntryTimeLimits(UnixSignalDeathPenalty):
    """RQ's timer, except around a job: there the entries' own limits use SIGALRM."""

    def setup_death_penalty(self) -> None:
        if self._exception is not JobTimeoutException:
            super().setup_death_penalty()

    def cancel_death_penalty(self) -> None:
        if self._exception is not JobTimeoutException:
            super().cancel_death_penalty()


class RunWorker(Worker):
    death_penalty_class = EntryTimeLimits
    #: RQ doubles its wait up to a minute; people wait for Redis to be back, and so do we.
    max_connection_wait_time = 2.0
    pulse: Pulse | None = None
    _has_redis = True
    _horse_status: int | None = None

    @property
    def connection_timeout(self) -> int:
        """Seconds until a Redis that has gone silent is given up; RQ adds ten."""
        return self.dequeue_timeout + 2

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """Give a sign of life, in PostgreSQL before Redis. RQ comes by in every loop it has."""
        if self.pulse is not None and not self.is_horse:
            task = self._task()
            idle = WorkerState.IDLE if self._has_redis else WorkerState.WAITING
            self.pulse.beat(WorkerState.BUSY if task else idle, task)
        self._has_redis = False
        super().heartbeat(timeout, pipeline=pipeline)
        self._has_redis = True

    def _task(self) -> Task | None:
        for at in self.executions.values():
            return Task(job_id=at.job_id, run_id=_run_id_of(at.job), since=at.created_at)
        return None

    def register_birth(self) -> None:
        """As RQ's, over whatever stands there: one of the same name that was killed, or no hash."""
        self.connection.delete(self.key)
        mend(self.connection, self.queue_names())
        super().register_birth()

    def subscribe(self) -> None:
        """Take no commands from Redis: holds and operations are how people stop work."""

    def check_for_suspension(self, burst: bool) -> None:  # noqa: FBT001 - RQ's
        """Nor be suspended by a key there."""

    def run_maintenance_tasks(self) -> None:
        """As RQ's, which stumbles over anything in its registries that is malformed."""
        try:
            super().run_maintenance_tasks()
        except Exception as error:  # noqa: BLE001 - nothing of ours depends on it
            logger.warning("worker.no_maintenance", extra={"error": type(error).__name__})
            self.last_cleaned_at = timezone.now()  # type: ignore[assignment] # RQ's says None

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        """Signals wait while it is forked: none kills a work-horse that has no handlers yet."""
        HORSE.clear()
        connections.close_all()  # a connection must not be shared with the work-horse
        self._horse_status = None
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            super().fork_work_horse(job, queue)
            # It does so itself, later perhaps than somebody signals its group: which was ours.
            with suppress(OSError):
                os.setpgid(self.horse_pid, self.horse_pid)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        if self.stopping:  # we were asked before there was anybody to pass it on to
            self.kill_horse(sig=signal.SIGUSR1)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        _die_with(self.pid)
        super().main_work_horse(job, queue)

    @property
    def stopping(self) -> bool:
        return self._shutdown_requested_date is not None

    def setup_work_horse_signals(self) -> None:
        """Stop as the worker does: a service manager may signal all processes of a service."""
        super().setup_work_horse_signals()
        for number in (signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, _on_shutdown)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)

    def handle_warm_shutdown_request(self) -> None:
        """Have the horse stop after the entry at hand, so that a deploy does not wait for a run."""
        super().handle_warm_shutdown_request()
        if self.horse_pid:
            self.kill_horse(sig=signal.SIGUSR1)

    def monitor_work_horse(self, job: Job, queue: Queue, execution: Execution) -> None:
        """Until it is dead, and settle what it has left."""
        with suppress(DeserializationError):
            if job.func_name == EXECUTE_RUN:
                job.timeout = -1  # it is watched entry by entry, and may wait for PostgreSQL
        watch = Watch(HORSE, pid=self.horse_pid)
        watch.begin()
        try:
            if self.pulse is not None:  # RQ says nothing of what ends within five seconds
                self.pulse.beat(WorkerState.BUSY, self._task())
            super().monitor_work_horse(job, queue, execution)
        finally:
            if self.horse_pid:  # RQ gave up, over Redis for instance
                with suppress(ChildProcessError):
                    self._horse_status = os.waitpid(self.horse_pid, 0)[1]
                self._horse_pid = 0
            watch.end()
            settle_death(
                HORSE, late=watch.late, status=self._horse_status, hurry=lambda: self.stopping
            )

    def wait_for_horse(self) -> tuple[Any, Any, Any]:
        pid, status, usage = super().wait_for_horse()
        self._horse_status = status
        return pid, status, usage

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        """For RQ's eyes only: the work-horse is watched whether or not Redis is there."""
        with suppress(RedisError):
            super().maintain_heartbeats(job, execution)

    def set_shutdown_requested_date(self) -> None:
        with suppress(RedisError):
            super().set_shutdown_requested_date()


def _run_id_of(job: Job) -> UUID | None:
    """None for a sync, and for a job that cannot be read: its horse finds out."""
    with suppress(Exception):
        return UUID(job.args[0]) if job.func_name == EXECUTE_RUN else None
    return None


def run_worker(queue: str, *, burst: bool = False, name: str | None = None) -> None:
    """Work on one queue until asked to stop; Redis may come and go.

    One queue only: RQ uses its crash-safe intermediate list only then. Signal handlers are put
    back as they were.
    """
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    pulse = Pulse(queue=queue, name=name)
    # It is for the work-horses; one that comes to us by mistake must not kill us.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        _work(queue, _Stop(), burst=burst, name=name, pulse=pulse)
    finally:
        pulse.stop()
        for number, handler in before.items():
            signal.signal(number, handler)


def _work(queue: str, stop: "_Stop", *, burst: bool, name: str | None, pulse: Pulse) -> None:
    while not stop.requested:
        worker = _make(queue, name=name, pulse=pulse)
        try:
            if worker is not None:
                worker.work(burst=burst, logging_level=None)
                # It returns when asked to stop, and also when an error surprised it.
                if burst or worker.stopping:
                    return
        except RedisError as error:
            logger.warning("worker.redis_lost", extra={"error": type(error).__name__})
            if worker is not None and worker.stopping:
                return
        stop.listen()
        pulse.beat(WorkerState.WAITING)
        time.sleep(1)


def _make(queue: str, *, name: str | None, pulse: Pulse) -> RunWorker | None:
    """A worker on the project's serializer, whatever RQ's default is."""
    from django_rq.workers import get_worker

    try:
        worker = get_worker(
            queue,
            worker_class=RunWorker,
            queue_class=RunQueue,
            job_class=RunJob,
            name=name,
            serializer="json",
            # RQ blocks for 15 seconds less, and gives no sign of life meanwhile.
            worker_ttl=18,
            maintenance_interval=30,
            job_monitoring_interval=5,
            log_job_description=False,
        )
    except RedisError as error:
        logger.warning("worker.no_redis", extra={"error": type(error).__name__})
        return None
    worker = cast("RunWorker", worker)
    worker.pulse = pulse
    # Its own retries would keep it silent for minutes; it asks again itself.
    worker.connection.set_retry(Retry(NoBackoff(), 1))
    return worker


class _Stop:
    """Hears SIGTERM and SIGINT while no worker of RQ's is there to hear them."""

    def __init__(self) -> None:
        self.requested = False
        self.listen()

    def listen(self) -> None:
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)

    def _on_signal(self, _signum: int, _frame: FrameType | None) -> None:
        self.requested = True


def _on_shutdown(_signum: int, _frame: FrameType | None) -> None:
    execution.shutdown.set()


def _die_with(worker_pid: int | None) -> None:
    """A horse whose worker is killed would go on alone, with nobody to watch its time.

    Linux only; elsewhere the lease and the fence are the only guards.
    """
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is None:
        return
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != worker_pid:  # it died before we asked
        os._exit(1)
