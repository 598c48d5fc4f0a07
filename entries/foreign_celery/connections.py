"""A few connections to the database of another installation, lent to one thread at a time."""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

import psycopg

#: Hundreds of tasks are followed at once, and each look takes a millisecond.
_MOST = 8
_WAIT_SECONDS = 30.0
#: What the session tells its PostgreSQL: it reads, and holds nothing for long.
_SESSION = (
    "-c default_transaction_read_only=on -c statement_timeout=30000 -c lock_timeout=5000"
    " -c idle_in_transaction_session_timeout=30000"
)
T = TypeVar("T")


class Connections:
    """Connects when it has to. Raises ``psycopg.Error``."""

    def __init__(self, place: Mapping[str, Any]) -> None:
        self._place = dict(place)
        self._seats = threading.BoundedSemaphore(_MOST)
        self._idle: list[psycopg.Connection[tuple[Any, ...]]] = []

    def run(self, read: Callable[[psycopg.Connection[tuple[Any, ...]]], T]) -> T:
        """Call ``read`` with a connection; once more with a new one where an idle one was lost."""
        if not self._seats.acquire(timeout=_WAIT_SECONDS):
            raise psycopg.OperationalError("all connections were busy for too long")
        try:
            with suppress(IndexError):
                idle = self._idle.pop()
                with suppress(psycopg.OperationalError):
                    return self._use(idle, read)
            return self._use(self._connect(), read)
        finally:
            self._seats.release()

    def close(self) -> None:
        """Close those that are idle."""
        while self._idle:
            self._idle.pop().close()

    def _use(
        self,
        connection: psycopg.Connection[tuple[Any, ...]],
        read: Callable[[psycopg.Connection[tuple[Any, ...]]], T],
    ) -> T:
        try:
            found = read(connection)
        except BaseException:  # the alarm of a time limit as well: it may be in the middle of a row
            connection.close()
            raise
        self._idle.append(connection)
        return found

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(
            **self._place,
            autocommit=True,
            # A pooler may hand sessions around.
            prepare_threshold=None,
            connect_timeout=10,
            tcp_user_timeout=30_000,
            keepalives_idle=30,
            client_encoding="utf-8",
            application_name="redrive",
            options=_SESSION,
        )
