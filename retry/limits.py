"""Exceptions from the limits that a process has at PostgreSQL (``config.limits``)."""

from typing import Any

from django.conf import settings
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from config.limits import LIMITS, Role
from entries.kinds import registry

#: After the time limit of an entry, until PostgreSQL ends what it left open.
_GRACE_SECONDS = 30

_ALLOW = """
SELECT set_config('statement_timeout', %s, true) FROM pg_settings
WHERE name = 'statement_timeout' AND setting::bigint BETWEEN 1 AND %s
"""


def allow_statement(seconds: int) -> None:
    """Let statements take so long until the caller's transaction ends; never lowers a limit."""
    with connection.cursor() as cursor:
        cursor.execute(_ALLOW, [f"{seconds}s", seconds * 1000 - 1])


def hurry_locks(seconds: float) -> None:
    """Wait at most so long for locks, until the end of the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = %s", [int(seconds * 1000)])


def leave_kinds_their_time(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    """In a worker, let statements take as long as the slowest kind may.

    Called for each new connection.
    """
    if settings.REDRIVE_ROLE != Role.WORKER or not settings.DATABASE_LIMITS:
        return
    longest = max((kind.time_limit for kind in registry.all_kinds().values()), default=0.0)
    seconds = max(int(longest) + _GRACE_SECONDS, LIMITS[Role.WORKER].statement)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('idle_in_transaction_session_timeout', %(limit)s, false),"
            " set_config('statement_timeout', %(limit)s, false)",
            {"limit": f"{seconds}s"},
        )
