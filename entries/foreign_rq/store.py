"""The connection to the Redis of an RQ installation; nothing else in ``entries`` imports redis."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

from django.conf import settings
from redis import BlockingConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError
from redis.retry import Retry

from entries.errors import PermanentError, TransientError
from entries.foreign_rq.address import describe, find_address_problem

#: Of one process. Hundreds of jobs are followed at once, and each look takes a millisecond.
_CONNECTIONS = 8
_PAGE = 1_000
#: RQ's own; an environment variable of RQ 3 changes it.
PREFIX = "rq"
T = TypeVar("T")


class StoreAway(TransientError):
    """The Redis of the installation cannot be reached, does not answer, or refuses."""


class StoreRefused(PermanentError):
    """The address of the installation may not be connected to, or makes no sense."""


class Store:
    """One Redis. Commands raise ``StoreAway``; making one raises ``StoreRefused``.

    ``prefix`` is how RQ's keys begin there.
    """

    def __init__(self, url: str, *, prefix: str = PREFIX) -> None:
        problem = find_address_problem(url)
        if problem:
            raise StoreRefused(problem)
        self._name = describe(url)
        self._prefix = prefix
        self._redis = _connect(url)

    def key(self, *parts: str) -> str:
        return ":".join((self._prefix, *parts))

    def scan(self, key: str) -> Iterator[bytes]:
        """Yield the members of a sorted set, those that stay in it at least once."""
        cursor = 0
        while True:
            cursor, members = self._scan_page(key, cursor)
            yield from (member for member, _ in members)
            if not cursor:
                return

    def _scan_page(self, key: str, cursor: int) -> tuple[int, list[tuple[bytes, float]]]:
        found: Any = self._do(lambda: self._redis.zscan(key, cursor, count=_PAGE))
        return cast("tuple[int, list[tuple[bytes, float]]]", found)

    def count(self, key: str) -> int:
        return int(self._do(lambda: self._redis.zcard(key)))

    def ask(self, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Return the answers to commands sent together; None where one was an error.

        What is in Redis can have any type.
        """

        def run() -> list[Any]:
            pipeline: Any = self._redis.pipeline(transaction=False)
            for command in commands:
                pipeline.execute_command(*command)
            answers: list[Any] = pipeline.execute(raise_on_error=False)
            return answers

        answers = self._do(run) if commands else []
        return [self._accept(answer) for answer in answers]

    def call(self, script: str, *, keys: Sequence[str], args: Sequence[str | int]) -> Any:
        """Run a script of this package as one atomic step.

        It is repeated where its answer is lost, so it must bear that.
        """
        text = _read_script(script)
        return self._do(lambda: self._redis.eval(text, len(keys), *keys, *args))

    def _accept(self, answer: Any) -> Any:
        if isinstance(answer, ResponseError) and not isinstance(answer, NoPermissionError):
            return None
        if isinstance(answer, Exception):
            raise self._translate(answer) from answer
        return answer

    def _do(self, command: Callable[[], T]) -> T:
        try:
            return command()
        except RedisError as error:
            raise self._translate(error) from error

    def _translate(self, error: Exception) -> StoreAway:
        why = type(error).__name__
        if isinstance(error, ResponseError | AuthenticationError):
            return StoreAway(f"the Redis at {self._name} refused: {why}")
        return StoreAway(f"the Redis at {self._name} did not answer: {why}")


@lru_cache(maxsize=16)
def _connect(url: str) -> "Redis":
    seconds = max(settings.REDRIVE_REDIS_TIMEOUT, 1.0)
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_CONNECTIONS,
        timeout=30,
        socket_timeout=5 * seconds,
        socket_connect_timeout=seconds,
        # A lost answer is asked for again by those who know that they may.
        retry=Retry(NoBackoff(), 1),
    )
    return Redis(connection_pool=pool)


@lru_cache(maxsize=16)
def _read_script(name: str) -> str:
    return Path(__file__).with_name(f"{name}.lua").read_text(encoding="utf-8")
