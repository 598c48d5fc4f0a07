"""Longer time limits at PostgreSQL where more time is due.

``entries.database.limits`` has the limits with which a process connects.
"""

from typing import Any

from django.conf import settings
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from entries.kinds import registry

#: Seconds beyond an entry's time limit, until PostgreSQL ends what it has left open.
_GRACE_SECONDS = 30

_ALLOW = """
SELECT set_config('statement_timeout', %s, true) FROM pg_settings
WHERE name = 'statement_timeout' AND setting::bigint BETWEEN 1 AND %s
"""


def allow_statement(seconds: int) -> None:
    """Let statements take ``seconds`` until the caller's transaction ends; never tightens."""
    with connection.cursor() as cursor:
        cursor.execute(_ALLOW, [f"{seconds}s", seconds * 1000 - 1])


def hurry_locks(seconds: float) -> None:
    """Wait at most ``seconds`` for the locks of others, in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = %s", [int(seconds * 1000)])


def extend_limits_for_kinds(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Give a worker's new connection the time that its slowest kind may take."""
    if settings.REDRIVE_ROLE != "worker" or not settings.DATABASE_LIMITS:
        return
    longest = max((kind.time_limit for kind in registry.all_kinds().values()), default=0.0)
    seconds = max(int(longest) + _GRACE_SECONDS, settings.DATABASE_STATEMENT_SECONDS)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('idle_in_transaction_session_timeout', %(limit)s, false),"
            " set_config('statement_timeout', %(limit)s, false)",
            {"limit": f"{seconds}s"},
        )
