"""Reads within a time budget: PostgreSQL stops what takes too long."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

#: Without parallel workers and compilation: for reads of milliseconds, starting either costs more
#: than it saves.
_LIMIT = """
SELECT current_setting('statement_timeout'), current_setting('max_parallel_workers_per_gather'),
       current_setting('jit'), set_config('statement_timeout', %s, true),
       set_config('max_parallel_workers_per_gather', %s, true), set_config('jit', %s, true)
"""


class OutOfTime(OperationalError):
    """A statement used up the time budget it was run in; PostgreSQL stopped it."""


@contextmanager
def time_budget(seconds: float) -> Iterator[None]:
    """Give each statement of the block ``seconds``, in a transaction of the block's own.

    Raises ``OutOfTime`` where PostgreSQL stopped one; a block with several reads can so take as
    many times ``seconds``. Within a transaction of the caller's its own limit holds again
    afterwards.
    """
    nested = connection.in_atomic_block
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_LIMIT, [f"{seconds * 1000:.0f}ms", "0", "off"])
            before = cursor.fetchone()[:3]
            yield
            if nested:
                cursor.execute(_LIMIT, before)
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise OutOfTime(f"stopped after {seconds:g} seconds") from error.__cause__
        raise
