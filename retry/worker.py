"""The worker and the job class: RQ's, hardened.

A job is forged by whoever can write to Redis, so nothing in it is believed but one function name
out of three and one short string. A work-horse never outlives its worker, and a worker outlives
Redis.
"""

import ctypes
import logging
import os
import re
import signal
import time
from types import FrameType
from typing import Any, cast

from django.db import connections
from redis.exceptions import RedisError
from rq import Worker
from rq.exceptions import DeserializationError
from rq.job import Job
from rq.queue import Queue
from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty

from retry import execution, jobs
from retry.queue import EXECUTE_RUN, IMPORT_FILE, SYNC_SOURCE

logger = logging.getLogger(__name__)

ALLOWED = {
    EXECUTE_RUN: jobs.execute_run,
    SYNC_SOURCE: jobs.sync_source,
    IMPORT_FILE: jobs.import_file,
}
_ARGUMENT = re.compile(r"[A-Za-z0-9_-]{1,100}")
_PR_SET_PDEATHSIG = 1
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)

#: Fields of a job's hash that would make RQ call or schedule something else.
_REFUSED_FIELDS = (
    b"success_callback_name",
    b"failure_callback_name",
    b"stopped_callback_name",
    b"webhooks",
    b"dependency_ids",
    b"dependency_id",
    b"repeats_left",
    b"repeat_intervals",
    b"retries_left",
    b"retry_intervals",
    b"rate_limit_key",
    b"meta",
    b"result",
    b"exc_info",
)


class RunJob(Job):
    """A job that can only be one of ours."""

    def restore(self, raw_data: dict[bytes, bytes]) -> Any:
        """As RQ's, without the fields by which a hash could make RQ call anything else."""
        kept = {key: value for key, value in raw_data.items() if key not in _REFUSED_FIELDS}
        return super().restore(kept)

    def _deserialize_data(self) -> None:
        super()._deserialize_data()
        args = self._args
        if (
            self._func_name not in ALLOWED
            or self._instance is not None
            or self._kwargs
            or not isinstance(args, list | tuple)
            or len(args) != 1
            or not isinstance(args[0], str)
            or not _ARGUMENT.fullmatch(args[0])
        ):
            raise DeserializationError(f"job {self.id} is none of ours")

    @property
    def func(self) -> Any:
        return ALLOWED[str(self.func_name)]


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

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        _die_with(self.pid)
        super().main_work_horse(job, queue)

    @property
    def stopping(self) -> bool:
        return self._shutdown_requested_date is not None

    def setup_work_horse_signals(self) -> None:
        super().setup_work_horse_signals()
        signal.signal(signal.SIGUSR1, _on_shutdown)

    def handle_warm_shutdown_request(self) -> None:
        """Have the horse stop after the entry at hand, so that a deploy does not wait for a run."""
        super().handle_warm_shutdown_request()
        if self.horse_pid:
            self.kill_horse(sig=signal.SIGUSR1)


def run_worker(queue: str, *, burst: bool = False, name: str | None = None) -> None:
    """Work on one queue until asked to stop; Redis may come and go.

    One queue only: RQ uses its crash-safe intermediate list only then. Signal handlers are put
    back as they were.
    """
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    # Inherited by the horses: the signal must not kill one that has not set its own handler yet.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        _work(queue, _Stop(), burst=burst, name=name)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _work(queue: str, stop: "_Stop", *, burst: bool, name: str | None) -> None:
    while not stop.requested:
        connections.close_all()  # a connection must not be shared with the horses
        worker = _make(queue, name=name)
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
        time.sleep(1)


def _make(queue: str, *, name: str | None) -> RunWorker | None:
    """A worker on the project's serializer, whatever RQ's default is."""
    from django_rq.workers import get_worker

    try:
        worker = get_worker(
            queue,
            worker_class=RunWorker,
            job_class=RunJob,
            name=name,
            serializer="json",
            worker_ttl=60,
            maintenance_interval=30,
            job_monitoring_interval=5,
            log_job_description=False,
        )
    except RedisError as error:
        logger.warning("worker.no_redis", extra={"error": type(error).__name__})
        return None
    return cast("RunWorker", worker)


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
