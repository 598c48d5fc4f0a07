"""The worker, as RQ's settings and the management command import it."""

from retry.worker.main import run_worker
from retry.worker.pool import run_pool
from retry.worker.rq_job import RunJob
from retry.worker.rq_worker import RunWorker

__all__ = ["RunJob", "RunWorker", "run_pool", "run_worker"]
