"""The worker, as RQ and the management command find it."""

from retry.worker.rq_job import RunJob
from retry.worker.rq_worker import RunWorker, run_worker

__all__ = ["RunJob", "RunWorker", "run_worker"]
