"""A worker process: it serves one queue until it is asked to stop, and outlives Redis."""

import logging
import signal
import time
from types import FrameType
from typing import cast

from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from retry.defaults import name_queue
from retry.heartbeats import Pulse
from retry.models import WorkerState
from retry.notices.silence import SilenceWatch
from retry.worker.activity import HORSE
from retry.worker.rq_job import RunJob
from retry.worker.rq_worker import STOP_SIGNALS, RunWorker
from retry.worker.run_queue import RunQueue

logger = logging.getLogger(__name__)


def run_worker(queue: str, *, burst: bool = False, name: str | None = None) -> None:
    """Work on one queue until asked to stop, or with ``burst`` until it is empty.

    One queue only, because RQ uses its crash-safe intermediate list only then. Restores the signal
    handlers that it found.
    """
    HORSE.separate()
    if queue == "sync":
        # Otherwise each work-horse that reads a workbook would import openpyxl.
        from entries.readers.xlsx import table  # noqa: F401
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    pulse = Pulse(queue=queue, name=name)
    # SIGUSR1 is for work-horses; one that reaches the worker by mistake must not kill it.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        _work(queue, _StopRequest(), burst=burst, name=name, pulse=pulse)
    finally:
        pulse.stop()
        for number, handler in before.items():
            signal.signal(number, handler)


class _StopRequest:
    """Notes SIGTERM and SIGINT while no ``RunWorker`` handles them."""

    def __init__(self) -> None:
        self.arrived = False
        self.listen()

    def listen(self) -> None:
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)

    def _on_signal(self, _signum: int, _frame: FrameType | None) -> None:
        self.arrived = True


def _work(
    queue: str, stop_request: _StopRequest, *, burst: bool, name: str | None, pulse: Pulse
) -> None:
    silence = SilenceWatch()
    while not stop_request.arrived:
        worker = _create_worker(queue, name=name, pulse=pulse, silence=silence)
        try:
            if worker is not None:
                worker.was_asked_to_stop = lambda: stop_request.arrived
                worker.work(burst=burst, logging_level=None)
                # It also returns after an unexpected error, and then another one continues.
                if burst or worker.stopping:
                    return
        except RedisError as error:
            logger.warning("worker.redis_lost", extra={"error": type(error).__name__})
            if worker is not None and worker.stopping:
                return
        stop_request.listen()
        pulse.beat(WorkerState.WAITING)
        time.sleep(1)


def _create_worker(
    queue: str, *, name: str | None, pulse: Pulse, silence: SilenceWatch
) -> RunWorker | None:
    """Create an RQ worker with the project's serializer; None while Redis is away."""
    from django_rq.workers import get_worker

    try:
        worker = get_worker(
            name_queue(queue),
            worker_class=RunWorker,
            queue_class=RunQueue,
            job_class=RunJob,
            name=name,
            serializer="json",
            # RQ blocks for 15 seconds less than this, and gives no sign of life meanwhile.
            worker_ttl=18,
            maintenance_interval=30,
            job_monitoring_interval=5,
            log_job_description=False,
        )
    except RedisError as error:
        logger.warning("worker.no_redis", extra={"error": type(error).__name__})
        return None
    worker = cast("RunWorker", worker)
    worker.pulse, worker.silence = pulse, silence
    # redis-py's own retries would keep it silent for minutes; this process tries again itself.
    manager = getattr(worker.connection.connection_pool, "sentinel_manager", None)
    for client in (worker.connection, *(manager.sentinels if manager else ())):
        client.set_retry(Retry(NoBackoff(), 1))
    return worker
