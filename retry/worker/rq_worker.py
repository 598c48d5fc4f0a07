"""RQ's worker, hardened: a work-horse never outlives it, and it does without Redis for a while."""

import ctypes
import logging
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any
from uuid import UUID

from django.db import connections
from django.utils import timezone
from redis.exceptions import RedisError
from rq import Worker
from rq.exceptions import DeserializationError, StopRequested
from rq.executions import Execution
from rq.job import Job
from rq.queue import Queue
from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty

from retry.heartbeats import Pulse, Task
from retry.models import WorkerState
from retry.notices.silence import SilenceWatch
from retry.queue import EXECUTE_RUN, repair_keys
from retry.worker.activity import HORSE
from retry.worker.death import settle_death
from retry.worker.lease import Watch
from retry.worker.patience import shutdown

logger = logging.getLogger(__name__)

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
_PR_SET_PDEATHSIG = 1


class EntryTimeLimits(UnixSignalDeathPenalty):
    """RQ's timer, except around a job: there the entries' own limits use SIGALRM."""

    def setup_death_penalty(self) -> None:
        if self._exception is not JobTimeoutException:
            super().setup_death_penalty()

    def cancel_death_penalty(self) -> None:
        if self._exception is not JobTimeoutException:
            super().cancel_death_penalty()


class RunWorker(Worker):
    """A worker that forks a work-horse for each job, watches it and settles what it leaves.

    Redis can neither command nor suspend it.
    """

    death_penalty_class = EntryTimeLimits
    #: RQ doubles its wait up to a minute; people wait for Redis to be back, and so does this.
    max_connection_wait_time = 2.0
    pulse: Pulse | None = None
    silence: SilenceWatch | None = None
    #: Whether the process was asked to stop before this worker handled signals.
    was_asked_to_stop: Callable[[], bool] | None = None
    _has_redis = True
    _horse_status: int | None = None

    # Life.

    @property
    def connection_timeout(self) -> int:
        """Seconds until a silent Redis counts as lost, to which RQ adds ten."""
        return self.dequeue_timeout + 2

    def register_birth(self) -> None:
        """Register even if a killed worker of the same name, or no hash at all, is in the way."""
        self.connection.delete(self.key)
        repair_keys(self.connection, self.queue_names())
        super().register_birth()

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """Give a sign of life, in PostgreSQL before Redis. RQ calls this in each of its loops."""
        if self.pulse is not None and not self.is_horse:
            task = self._get_task()
            idle = WorkerState.IDLE if self._has_redis else WorkerState.WAITING
            look = None if self.silence is None else self.silence.look
            self.pulse.beat(WorkerState.BUSY if task else idle, task, beside=look)
        self._has_redis = False
        super().heartbeat(timeout, pipeline=pipeline)
        self._has_redis = True

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        """Keep RQ's records alive. Nothing depends on them, so Redis may be away."""
        with suppress(RedisError):
            super().maintain_heartbeats(job, execution)

    def run_maintenance_tasks(self) -> None:
        """Clean RQ's registries, where a malformed record would raise."""
        try:
            super().run_maintenance_tasks()
        except StopRequested:  # a signal arrived meanwhile
            raise
        except Exception as error:  # noqa: BLE001 - Redrive does not use these registries
            logger.warning("worker.no_maintenance", extra={"error": type(error).__name__})
            self.last_cleaned_at = timezone.now()  # type: ignore[assignment] # RQ's says None

    def subscribe(self) -> None:
        """Take no commands from Redis: holds and operations are how people stop work."""

    def check_for_suspension(self, burst: bool) -> None:  # noqa: FBT001 - RQ's
        """Ignore the key in Redis that suspends RQ's workers."""

    # The work-horse, from its fork to its death.

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        """Fork with signals blocked, so that none kills a work-horse without handlers."""
        HORSE.clear()
        connections.close_all()  # a connection must not be shared with the work-horse
        self._horse_status = None
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        try:
            super().fork_work_horse(job, queue)
            # The work-horse does the same, but perhaps too late for a signal to its group: until
            # then it is in this process's group.
            with suppress(OSError):
                os.setpgid(self.horse_pid, self.horse_pid)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        if self.stopping:  # the request came before there was a work-horse to pass it on to
            self.kill_horse(sig=signal.SIGUSR1)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        die_with_parent(self.pid)
        super().main_work_horse(job, queue)

    def setup_work_horse_signals(self) -> None:
        """Stop like the worker: a service manager may signal all processes of a service."""
        super().setup_work_horse_signals()
        for number in (signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, _on_shutdown)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def monitor_work_horse(self, job: Job, queue: Queue, execution: Execution) -> None:
        """Wait until the work-horse is dead, and settle what it left."""
        with suppress(DeserializationError):
            if job.func_name == EXECUTE_RUN:
                job.timeout = -1  # each entry has its own limit, and PostgreSQL may be away
        watch = Watch(HORSE, pid=self.horse_pid)
        watch.begin()
        try:
            if self.pulse is not None:  # RQ gives no sign of life for jobs under five seconds
                self.pulse.beat(WorkerState.BUSY, self._get_task())
            super().monitor_work_horse(job, queue, execution)
        finally:
            if self.horse_pid:  # RQ gave up, for example because of Redis
                with suppress(ChildProcessError):
                    self._horse_status = os.waitpid(self.horse_pid, 0)[1]
                self._horse_pid = 0
            watch.end()
            settle_death(
                HORSE, overdue=watch.overdue, status=self._horse_status, hurry=lambda: self.stopping
            )

    def wait_for_horse(self) -> tuple[Any, Any, Any]:
        pid, status, usage = super().wait_for_horse()
        self._horse_status = status
        return pid, status, usage

    def _get_task(self) -> Task | None:
        for at in self.executions.values():
            return Task(job_id=at.job_id, run_id=_parse_run_id(at.job), since=at.created_at)
        return None

    # Shutdown.

    @property
    def stopping(self) -> bool:
        return self._shutdown_requested_date is not None

    def handle_warm_shutdown_request(self) -> None:
        """Let the work-horse stop after the current entry: a deploy need not wait for a run."""
        super().handle_warm_shutdown_request()
        if self.horse_pid:
            self.kill_horse(sig=signal.SIGUSR1)

    def _install_signal_handlers(self) -> None:
        """Heed a request to stop that came while this worker was being made."""
        super()._install_signal_handlers()
        if self.was_asked_to_stop is not None and self.was_asked_to_stop():
            self._stop_requested, self._shutdown_requested_date = True, timezone.now()

    def set_shutdown_requested_date(self) -> None:
        with suppress(RedisError):
            super().set_shutdown_requested_date()


def _parse_run_id(job: Job) -> UUID | None:
    # None for a sync or an import, and for a job that cannot be read: its work-horse rejects it.
    with suppress(Exception):
        return UUID(job.args[0]) if job.func_name == EXECUTE_RUN else None
    return None


def _on_shutdown(_signum: int, _frame: FrameType | None) -> None:
    shutdown.set()


def die_with_parent(parent_pid: int | None) -> None:
    """Have Linux kill this process when the one that forked it dies.

    Nothing else would watch the time of a work-horse, and no parent would stop a worker of a pool.
    On other systems the lease and the fence are the only guards.
    """
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is None:
        return
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # it died before the call
        os._exit(1)
