"""RQ without changes, with a job for each entry."""

import sys
import time

from redis import Redis
from rq import Queue
from rq.job import Job, JobStatus, requeue_job
from rq.registry import FailedJobRegistry

from bench.peers import common
from bench.peers.jobs import fetch, noop
from bench.processes import run, wait_until
from bench.report import Measurement


def requeue_all(count: int) -> Measurement:
    """Measure a loop of ``requeue_job``, which is django-rq's "requeue all"."""
    connection = common.client(common.RQ)
    connection.flushdb()
    queue = Queue("peer", connection=connection)
    registry = FailedJobRegistry(queue=queue)
    for number in range(count):
        job = Job.create(noop, args=(number,), connection=connection, origin=queue.name)
        job.set_status(JobStatus.FAILED)
        job.save()
        registry.add(job, ttl=3600)
    begin = time.perf_counter()
    for job_id in registry.get_job_ids():
        requeue_job(job_id, connection=connection)
    took = time.perf_counter() - begin
    assert len(queue) == count
    connection.flushdb()
    return Measurement(name="RQ, a loop of requeue_job", entries=count, seconds=took)


def enqueue_many(count: int) -> Measurement:
    connection = common.client(common.RQ)
    connection.flushdb()
    queue = Queue("peer", connection=connection)
    begin = time.perf_counter()
    _enqueue(queue, count)
    took = time.perf_counter() - begin
    assert len(queue) == count
    connection.flushdb()
    return Measurement(name="RQ, enqueue_many", entries=count, seconds=took)


def drain(count: int, *, kind: str, url: str | None = None) -> Measurement:
    """Measure two workers, ``fork`` (a process for each job) or ``simple`` (none).

    Their jobs do nothing, or fetch ``url``.
    """
    connection = common.client(common.RQ)
    connection.flushdb()
    queue = Queue("peer", connection=connection)
    _enqueue(queue, count, url=url)
    connection.rename(queue.key, "held")
    command = [sys.executable, "-m", "bench.peers.rq_worker", kind, common.address(common.RQ)]
    with run(command, command):
        wait_until(lambda: _idle(connection) == 2)
        begin = time.perf_counter()
        connection.rename("held", queue.key)
        finished = queue.finished_job_registry
        wait_until(lambda: int(connection.zcard(finished.key)) == count)
        took = time.perf_counter() - begin
    connection.flushdb()
    name = {"fork": "RQ, 2 workers", "simple": "RQ, 2 SimpleWorkers (no fork)"}[kind]
    return Measurement(name=name, entries=count, seconds=took)


def _enqueue(queue: Queue, count: int, *, url: str | None = None) -> None:
    """Enqueue in calls of 1,000."""
    for first in range(0, count, 1000):
        data = [
            Queue.prepare_data(fetch, (url,)) if url else Queue.prepare_data(noop, (number,))
            for number in range(first, min(first + 1000, count))
        ]
        queue.enqueue_many(data)


def _idle(connection: Redis) -> int:
    workers = connection.smembers("rq:workers")
    return sum(connection.hget(key, "state") == b"idle" for key in workers)
