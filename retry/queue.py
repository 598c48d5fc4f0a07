"""The only module that speaks to the broker. It translates: nothing of Redis or RQ leaves it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import django_rq
from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue, Worker
from rq.exceptions import DuplicateJobError
from rq.job import Job
from rq.utils import as_text

from retry.errors import QueueUnavailable

EXECUTE_RUN = "retry.jobs.execute_run"
SYNC_SOURCE = "retry.jobs.sync_source"
IMPORT_FILE = "retry.jobs.import_file"

#: Failed jobs say nothing that PostgreSQL does not say better; they only go on blocking their id.
FAILURE_TTL = 3600


@dataclass(frozen=True, slots=True)
class Handover:
    """One RQ job to be: its only argument is ``argument``; ``timeout`` in seconds."""

    job_id: str
    queue: str
    argument: str
    timeout: int
    function: str = EXECUTE_RUN


@dataclass(frozen=True, slots=True)
class BrokerView:
    """Which jobs the broker holds: ``waiting`` in a list, or ``taken`` by a worker."""

    waiting: frozenset[str]
    taken: frozenset[str]


@dataclass(frozen=True, slots=True)
class WorkerView:
    name: str
    queues: tuple[str, ...]
    state: str
    current_job: str | None
    pid: int | None
    last_heartbeat: str | None


@cache
def client() -> Redis:
    """One client a process. It fails fast, because somebody is waiting for the answer.

    RQ caches its scripts per client and django-rq makes a client per call, hence the cache.
    """
    return Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=settings.REDRIVE_REDIS_TIMEOUT,
        socket_timeout=settings.REDRIVE_REDIS_TIMEOUT,
        retry=Retry(NoBackoff(), 1),
    )


@cache
def _queue(name: str) -> Queue:
    return django_rq.get_queue(name, connection=client())


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise QueueUnavailable(f"Redis cannot be reached: {type(error).__name__}") from error


def hand_over(handover: Handover) -> None:
    """Enqueue one job; that it is there already is success.

    Raises ``QueueUnavailable``. redis-py repeats a command whose reply was lost, which only
    ``unique`` makes safe.
    """
    with _translated():
        try:
            _queue(handover.queue).enqueue(
                handover.function,
                handover.argument,
                job_id=handover.job_id,
                unique=True,
                job_timeout=handover.timeout,
                result_ttl=0,
                failure_ttl=FAILURE_TTL,
                description=handover.job_id,
            )
        except DuplicateJobError:
            return


def take_back(name: str, *, job_id: str) -> None:
    """Forget a job that waits; one that a worker holds is left alone. Raises
    ``QueueUnavailable``.
    """
    with _translated():
        if client().lrem(_queue(name).key, 1, job_id):
            client().delete(Job.key_for(job_id))


def observe(queues: Sequence[str]) -> BrokerView:
    """Every job of ours that a list or a worker holds. Raises ``QueueUnavailable``.

    A job moves list -> intermediate list -> registry of started ones. Reading in that order, in
    one pipeline, cannot miss one on the move.
    """
    waiting: set[str] = set()
    taken: set[str] = set()
    with _translated(), client().pipeline(transaction=False) as pipe:
        for name in queues:
            pipe.lrange(_queue(name).key, 0, -1)
        for name in queues:
            pipe.lrange(_queue(name).intermediate_queue_key, 0, -1)
        for name in queues:
            pipe.zrange(_queue(name).started_job_registry.key, 0, -1)
        answers = pipe.execute()
    for index, ids in enumerate(answers):
        target = waiting if index < len(queues) else taken
        # The registry holds job_id:execution_id.
        target.update(as_text(raw).split(":")[0] for raw in ids)
    return BrokerView(frozenset(waiting), frozenset(taken))


def ping() -> None:
    """Raises ``QueueUnavailable``."""
    with _translated():
        client().ping()


def lengths(queues: Sequence[str]) -> dict[str, int]:
    """Jobs waiting, by queue. Raises ``QueueUnavailable``."""
    with _translated(), client().pipeline(transaction=False) as pipe:
        for name in queues:
            pipe.llen(_queue(name).key)
        return dict(zip(queues, pipe.execute(), strict=True))


def workers() -> list[WorkerView]:
    """The workers that are alive by RQ's own heartbeats. Raises ``QueueUnavailable``."""
    with _translated():
        return [_view(worker) for worker in Worker.all(connection=client(), serializer="json")]


def _view(worker: Any) -> WorkerView:
    beat = worker.last_heartbeat
    return WorkerView(
        name=worker.name,
        queues=tuple(worker.queue_names()),
        state=str(getattr(worker.get_state(), "value", worker.get_state())),
        current_job=worker.get_current_job_id(),
        pid=worker.pid,
        last_heartbeat=beat.isoformat() if beat else None,
    )
