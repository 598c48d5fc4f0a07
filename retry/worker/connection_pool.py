"""Connections to PostgreSQL that the threads of a work-horse share, in Django's own pool."""

from functools import cache
from typing import Any

# Django imports it with the first connection, which would be in each work-horse.
import psycopg_pool  # noqa: F401
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import load_backend

#: How long an entry waits for a connection where all are in use, in seconds.
_TIMEOUT = 5.0


def create_pooled() -> BaseDatabaseWrapper:
    """Create what a thread uses as ``django.db.connection``.

    It takes a connection from the pool for its first query. ``give_back`` returns it; closed in any
    other way, it is closed for good, because what was left on it is not known.
    """
    database = connections.settings[DEFAULT_DB_ALIAS]
    wrapper_class = _derive_wrapper(database["ENGINE"])
    pool = {
        "min_size": 0,
        "max_size": settings.REDRIVE_KIND_CONNECTIONS,
        "timeout": _TIMEOUT,
        "connection_class": wrapper_class.Database.Connection,
    }
    wrapper: BaseDatabaseWrapper = wrapper_class(
        {
            **database,
            # What a pool asks for: it keeps connections itself, and finds out which are lost.
            "CONN_MAX_AGE": 0,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": {"pool": pool, **database["OPTIONS"]},
        },
        DEFAULT_DB_ALIAS,
    )
    return wrapper


def close_pool() -> None:
    """Close the connections that threads have shared."""
    if "pool" not in connections.settings[DEFAULT_DB_ALIAS]["OPTIONS"]:  # else it is the project's
        create_pooled().close_pool()  # type: ignore[attr-defined] # PostgreSQL's wrapper has it


@cache
def _derive_wrapper(engine: str) -> Any:
    base: Any = load_backend(engine).DatabaseWrapper

    class PooledWrapper(base):  # type: ignore[misc] # its base is the project's backend
        is_given_back = False

        def give_back(self) -> None:
            self.is_given_back = True
            try:
                self.close()
            finally:
                self.is_given_back = False

        def _close(self) -> None:
            if self.connection is not None and not self.is_given_back:
                self.connection.close()  # the pool does not lend it again
            super()._close()

    return PooledWrapper
