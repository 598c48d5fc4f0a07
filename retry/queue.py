"""The only module, besides the worker, that speaks to the broker; its errors are translated here.

What Redis holds is input, because others may write there. What is not ours costs a line in the log
and is deleted where RQ would stumble over it.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import django_rq
from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.exceptions import RedisError
from redis.retry import Retry
from redis.sentinel import Sentinel
from rq import Queue
from rq.exceptions import DuplicateJobError
from rq.job import Job

from entries.phrases import phrase
from retry.defaults import name_queue
from retry.errors import QueueUnavailable
from retry.redis_address import parse_sentinels
from retry.rq_keys import BrokerView, find_expected_types

logger = logging.getLogger(__name__)

#: Keys of ``rq_job.ALLOWED`` and no import paths: jobs that wait over an upgrade keep their names.
EXECUTE_RUN = "retry.jobs.execute_run"
SYNC_SOURCE = "retry.jobs.sync_source"
IMPORT_FILE = "retry.jobs.import_file"

_HASTE_SECONDS = 0.2
#: Ids of a list that are read at once: some hundredths of a second.
_PART = 5_000
#: By name, as the worker is a floor above. What a project says of other queues does not matter.
_JOB = "retry.worker.RunJob"
#: RQ keeps a failed job for so many seconds. PostgreSQL says more; the job only blocks its id.
FAILURE_TTL = 3600


@dataclass(frozen=True, slots=True)
class JobSpec:
    """An RQ job to enqueue, with a single ``argument``; ``timeout`` in seconds."""

    job_id: str
    queue: str
    argument: str
    timeout: int
    function: str = EXECUTE_RUN
    ahead: bool = False  # of everything that waits in the queue


@cache
def get_client() -> Redis:
    """Return this process's client. It fails fast, because a person waits for the answer.

    Cached, because RQ caches its scripts per client and django-rq makes a client per call.
    """
    return _connect(settings.REDRIVE_REDIS_TIMEOUT, retries=1)


@cache
def _get_hasty_client() -> Redis:
    """Return the client for what is not worth waiting for."""
    return _connect(_HASTE_SECONDS, retries=0)


def _connect(seconds: float, *, retries: int) -> Redis:
    options = _limit(seconds, retries)
    address = parse_sentinels(settings.REDIS_URL)
    if address is None:
        return Redis.from_url(settings.REDIS_URL, **options)
    # They are asked one after the other.
    asked = {**address.sentinel_login, **_limit(seconds / len(address.sentinels), 0)}
    untyped: Any = Sentinel
    sentinel = untyped(address.sentinels, sentinel_kwargs=asked, **address.login, **options)
    return cast("Redis", sentinel.master_for(address.master))


def _limit(seconds: float, retries: int) -> dict[str, Any]:
    limits = dict.fromkeys(("socket_connect_timeout", "socket_timeout"), seconds)
    return {**limits, "retry": Retry(NoBackoff(), retries)}


def find_sentinels() -> dict[str, bool]:
    """Return the addresses of all Sentinels, and whether each answers; none without Sentinel."""
    found = {}
    if address := parse_sentinels(settings.REDIS_URL):
        for host, port in address.sentinels:
            with Redis(host, port, socket_timeout=1, **address.sentinel_login) as client:
                try:
                    found[f"{host}:{port}"] = bool(client.ping())
                except (RedisError, OSError):
                    found[f"{host}:{port}"] = False
    return found


@cache
def _queue(name: str) -> Queue:
    named = name_queue(name)
    return django_rq.get_queue(named, connection=get_client(), job_class=_JOB, commit_mode="auto")


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise QueueUnavailable(
            phrase("Redis cannot be reached: %(error)s", error=type(error).__name__)
        ) from error


def hand_over(job: JobSpec) -> None:
    """Enqueue one job; a job that is there already is success. Raises ``QueueUnavailable``."""
    with _translate_errors(), get_client().pipeline(transaction=False) as names:
        _enqueue(job, names)
        names.execute()


def _enqueue(job: JobSpec, names: Pipeline) -> None:
    """Enqueue one job; the name of its queue waits in ``names`` for RQ's set of queues."""
    try:
        # redis-py repeats a command whose reply was lost, which only unique makes safe.
        _queue(job.queue).enqueue(
            job.function,
            job.argument,
            job_id=job.job_id,
            at_front=job.ahead,
            unique=True,
            job_timeout=job.timeout,
            result_ttl=0,
            failure_ttl=FAILURE_TTL,
            description=job.job_id,
            pipeline=names,
        )
    except DuplicateJobError:
        return


def hand_over_in_order(specs: Iterable[JobSpec]) -> int:
    """Enqueue jobs up to the first that Redis does not take; return how many it took.

    Never raises for Redis.
    """
    count = 0
    with get_client().pipeline(transaction=False) as names:
        for spec in specs:
            try:
                with _translate_errors():
                    _enqueue(spec, names)
            except QueueUnavailable as error:
                extra = {"job_id": spec.job_id, "error": str(error)}
                logger.warning("handover.failed", extra=extra)
                break
            count += 1
        else:  # not where Redis is away: that would be another wait
            # The names are for people who look into Redis: without them the jobs are done as well.
            with suppress(QueueUnavailable), _translate_errors():
                names.execute()
    return count


def take_back(name: str, *, job_id: str) -> None:
    """Delete a job that waits; one that a worker has taken stays. Raises ``QueueUnavailable``."""
    with _translate_errors():
        if get_client().lrem(_queue(name).key, 1, job_id):
            get_client().delete(Job.key_for(job_id))


def observe(queues: Sequence[str]) -> BrokerView:
    """Read the ids of all jobs in lists and with workers. Raises ``QueueUnavailable``."""
    *_, view = observe_in_parts(queues)
    return view


def observe_in_parts(queues: Sequence[str]) -> Iterator[BrokerView]:
    """Do so some thousand ids of each list at a time; the view is growing, and whole at the end.

    A job moves from the list to the intermediate list to the registry of started jobs. What is
    with workers is read with the last part again, and lists are read from the end, because workers
    take from the front: so no job on the move is missed.
    """
    waiting: set[str] = set()
    with _translate_errors():
        repair_keys(get_client(), [name_queue(name) for name in queues])
    found = {name: _queue(name) for name in queues}
    unread = dict.fromkeys(queues, 0)
    while unread:
        with _translate_errors(), get_client().pipeline(transaction=False) as pipe:
            for name, begun in unread.items():
                pipe.lrange(found[name].key, -begun - _PART, -begun - 1)
            for each in found.values():
                pipe.lrange(each.intermediate_queue_key, 0, -1)
            for each in found.values():
                pipe.zrange(each.started_job_registry.key, 0, -1)
            answers = [
                (name, members, set(_decode(name, members)))
                for name, members in zip([*unread, *queues, *queues], pipe.execute(), strict=True)
            ]
        waiting.update(*(ids for _, _, ids in answers[: len(unread)]))
        taken = {id_ for _, _, ids in answers[len(unread) :] for id_ in ids}
        unread = {
            name: unread[name] + _PART
            for name, members, _ in answers[: len(unread)]
            if len(members) == _PART
        }
        yield BrokerView(waiting, taken)


def _decode(queue: str, members: Sequence[bytes]) -> Iterator[str]:
    """Yield the ids of jobs, of members that are text; delete the others, which RQ would stumble
    over.
    """
    for raw in members:
        try:
            # The registry holds job_id:execution_id.
            yield raw.decode().split(":")[0]
        except UnicodeDecodeError:
            logger.warning("queue.unreadable", extra={"queue": queue, "member": repr(raw[:60])})
            found = _queue(queue)
            get_client().lrem(found.key, 0, raw)  # type: ignore[arg-type]
            get_client().lrem(found.intermediate_queue_key, 0, raw)  # type: ignore[arg-type]
            get_client().zrem(found.started_job_registry.key, raw)


def repair_keys(connection: Redis, queues: Sequence[str]) -> None:
    """Delete keys of ``queues``, by RQ's names, of another type than RQ's. Raises ``RedisError``.

    Nothing is lost: the jobs of these keys are in PostgreSQL and are handed over again.
    """
    expected = find_expected_types(queues)
    with connection.pipeline(transaction=False) as pipe:
        for key in expected:
            pipe.type(key)
        found = dict(zip(expected, pipe.execute(), strict=True))
    for key, kind in found.items():
        if kind not in {b"none", expected[key]}:
            logger.warning("queue.wrong_type", extra={"key": key, "type": kind.decode()})
            connection.delete(key)


def ping() -> None:
    """Check that Redis answers. Raises ``QueueUnavailable``."""
    with _translate_errors():
        get_client().ping()


def add_count(key: str, count: int, *, seconds: int) -> int:
    """Add to a counter that is forgotten ``seconds`` after the last addition; return its sum.

    Raises ``QueueUnavailable`` after a fifth of a second: the caller goes on without.
    """
    with _translate_errors(), _get_hasty_client().pipeline(transaction=False) as pipe:
        pipe.incrby(key, count)
        pipe.expire(key, seconds)
        return int(pipe.execute()[0])


def count_jobs(queues: Sequence[str]) -> dict[str, int]:
    """Count the jobs that wait, by queue. Raises ``QueueUnavailable``."""
    with _translate_errors(), get_client().pipeline(transaction=False) as pipe:
        for name in queues:
            pipe.llen(_queue(name).key)
        answers = zip(queues, pipe.execute(raise_on_error=False), strict=True)
        # A key that is not a list holds no jobs; the dispatcher deletes it.
        return {name: found if isinstance(found, int) else 0 for name, found in answers}


def read_info() -> Mapping[str, Any]:
    """Read what Redis says of itself (INFO), and its ``clock``. Raises ``QueueUnavailable``."""
    with _translate_errors(), get_client().pipeline(transaction=False) as pipe:
        pipe.info()
        pipe.time()
        told, (seconds, microseconds) = pipe.execute()
        return {**told, "clock": seconds + microseconds / 1_000_000}
