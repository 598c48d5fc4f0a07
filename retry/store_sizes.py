"""How large PostgreSQL's database and Redis are, within a time budget."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from django.db import connection

from entries.budget import OutOfTime, time_budget
from entries.sql import load
from retry import queue
from retry.errors import QueueUnavailable

#: PostgreSQL asks the file system for each file of the database.
SECONDS = 0.5
_TABLES = 5

_SQL = load(__file__)


@dataclass(frozen=True, slots=True)
class TableSize:
    """``bytes``: with indexes; ``rows``: as the planner estimates them."""

    name: str
    bytes: int
    rows: int


@dataclass(frozen=True, slots=True)
class StoreSizes:
    """None where the store could not say so in time. ``redis_limit``: None where it has none."""

    database: int | None = None
    tables: Sequence[TableSize] = ()
    redis: int | None = None
    redis_limit: int | None = None


def read_sizes() -> StoreSizes:
    """Read the sizes; a store that does not answer costs no more than its time limit."""
    database, tables = None, []
    with suppress(OutOfTime), time_budget(SECONDS), connection.cursor() as cursor:
        cursor.execute(_SQL["database_size"])
        database = int(cursor.fetchone()[0])
        cursor.execute(_SQL["table_sizes"], {"most": _TABLES})
        tables = [TableSize(*row) for row in cursor.fetchall()]
    redis = limit = None
    with suppress(QueueUnavailable):
        told = queue.read_info()
        redis, limit = int(told.get("used_memory", 0)), int(told.get("maxmemory", 0)) or None
    return StoreSizes(database, tables, redis, limit)
