"""Noticing that PostgreSQL has gone silent.

PostgreSQL keeps its own limits on statements and locks, but a server that is stopped, or behind a
network that swallows packets, keeps none: whoever waits for it would wait for ever. So after a
while without an answer the server is asked, over another connection, whether anybody is there.
"""

import contextlib
import socket
import struct
import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg
from psycopg import pq
from psycopg.waiting import Ready

T = TypeVar("T")

#: Seconds without an answer after which the server is asked, and then again.
PATIENCE = 1.5
#: Seconds it has to answer that.
ANSWERS_WITHIN = 1.0
#: For so long after a silence new connections ask first, instead of running into their timeout.
_WARY_SECONDS = 10.0

#: The first message of a session that would like encryption; any server answers it with one byte.
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)


class _Last:
    """When a server was last found silent, by the process's clock."""

    silence = float("-inf")


class AttentiveConnection(psycopg.Connection[Any]):
    """Raises ``psycopg.OperationalError`` within seconds when the server has gone silent."""

    @classmethod
    def connect(cls, *args: Any, **kwargs: Any) -> "AttentiveConnection":
        if time.monotonic() - _Last.silence < _WARY_SECONDS:
            host, port = str(kwargs.get("host", "")), str(kwargs.get("port", "") or "5432")
            if host and not is_there(host, port):
                raise _silent()
        try:
            return super().connect(*args, **kwargs)
        except psycopg.errors.ConnectionTimeout:
            _Last.silence = time.monotonic()
            raise

    def wait(self, gen: Generator[Any, Any, T], *args: Any, **kwargs: Any) -> T:
        return super().wait(_attentive(gen, self.pgconn), *args, **kwargs)


def _attentive(gen: Generator[Any, Any, T], pgconn: pq.abc.PGconn) -> Generator[Any, Any, T]:
    """``gen``, which the driver resumes ten times a second while there is no answer."""
    asked = time.monotonic()
    try:
        state = next(gen)
        while True:
            ready = yield state
            state = gen.send(ready)
            if ready != Ready.NONE:
                asked = time.monotonic()
            elif _waits_for_result(pgconn) and time.monotonic() - asked > PATIENCE:
                if not is_there(pgconn.host.decode(), pgconn.port.decode()):
                    pgconn.finish()  # nothing can be said on it any more, not even ROLLBACK
                    raise _silent()
                _Last.silence = float("-inf")
                asked = time.monotonic()
    except StopIteration as stop:
        result: T = stop.value
        return result


def _waits_for_result(pgconn: pq.abc.PGconn) -> bool:
    """A session that only listens for notifications is not owed an answer."""
    return pgconn.transaction_status == pq.TransactionStatus.ACTIVE


def is_there(host: str, port: str) -> bool:
    """Whether anybody answers at the server's address."""
    local = host.startswith("/")
    with contextlib.suppress(OSError, ValueError):
        if local:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(ANSWERS_WITHIN)
        else:
            connection = socket.create_connection((host, int(port)), timeout=ANSWERS_WITHIN)
        with connection:
            if local:
                connection.connect(f"{host}/.s.PGSQL.{port}")
            connection.sendall(_SSL_REQUEST)
            return bool(connection.recv(1))
    return False


def _silent() -> psycopg.OperationalError:
    _Last.silence = time.monotonic()
    return psycopg.OperationalError("the server has gone silent")
