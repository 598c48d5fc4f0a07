"""What PostgreSQL and Redis say of themselves, for who checks a deployment."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from django.conf import settings
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from entries.sql import load, read_dicts
from retry import queue

_SQL = load(__file__)
#: A busy pooler may give one of two connections another session by chance.
_LOOKS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresFacts:
    """``version``: as 170004 for 17.4. ``clock_seconds``: how far its clock is ahead of ours.

    ``locked_tables``: those of Redrive that the role may not read and write. ``usable``: how many
    connections it gives to others than superusers, of which ``used`` are open. ``pooled``: another
    process stands between; ``shared``: it gives our session to others between two transactions.
    """

    version: int
    encoding: str
    superuser: bool
    read_only: bool
    in_recovery: bool
    locked_tables: Sequence[str]
    may_create_temporary: bool
    may_create_tables: bool
    usable: int
    used: int
    knows_zone: bool
    clock_seconds: float
    pooled: bool = False
    shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisFacts:
    """``clock_seconds``: how far its clock is ahead of ours. ``max_bytes``: 0 where unlimited.

    ``sentinels``: those in its address, and whether each answers.
    """

    product: str
    version: str
    policy: str
    max_bytes: int
    evicted: int
    replica: bool
    saves: bool
    save_failed: bool
    clients: int
    max_clients: int
    clock_seconds: float
    sentinels: Mapping[str, bool] = field(default_factory=dict)

    @classmethod
    def from_info(cls, info: Mapping[str, Any], *, clock_seconds: float) -> Self:
        is_valkey = info.get("server_name") == "valkey" or "valkey_version" in info
        return cls(
            product="Valkey" if is_valkey else "Redis",
            version=str(info.get("valkey_version" if is_valkey else "redis_version", "0")),
            policy=str(info.get("maxmemory_policy", "noeviction")),
            max_bytes=int(info.get("maxmemory", 0)),
            evicted=int(info.get("evicted_keys", 0)),
            replica=info.get("role") in {"slave", "replica"},
            saves=bool(info.get("aof_enabled")) or bool(info.get("rdb_last_save_time")),
            save_failed="err"
            in {info.get("rdb_last_bgsave_status"), info.get("aof_last_write_status")},
            clients=int(info.get("connected_clients", 0)),
            max_clients=int(info.get("maxclients", 0)),
            clock_seconds=clock_seconds,
        )


def read_postgresql() -> PostgresFacts:
    """Read what PostgreSQL says. Raises ``DatabaseError``."""
    connection.ensure_connection()  # which takes its time, and the clock is read in the middle
    with connection.cursor() as cursor:
        cursor.execute(_SQL["facts"], {"zone": settings.TIME_ZONE})
        [row] = read_dicts(cursor)
        before = time.time()
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        clock = cursor.fetchone()[0]
    return PostgresFacts(
        **row,
        clock_seconds=clock - (before + time.time()) / 2,
        pooled=_find_process(connection) != connection.connection.info.backend_pid,
        shared=_is_shared(),
    )


def _find_process(wrapper: BaseDatabaseWrapper) -> int:
    """Return the process of PostgreSQL that answers now; a pooler told us another at the start."""
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def _is_shared() -> bool:
    """Tell whether two connections that are both open were answered by one process."""
    other = connection.copy()
    try:
        return any(_find_process(connection) == _find_process(other) for _ in range(_LOOKS))
    finally:
        other.close()


def read_redis() -> RedisFacts:
    """Read what Redis says. Raises ``QueueUnavailable``."""
    queue.ping()  # connects
    before = time.time()
    info = queue.read_info()
    facts = RedisFacts.from_info(info, clock_seconds=info["clock"] - (before + time.time()) / 2)
    return replace(facts, sentinels=queue.find_sentinels())
