"""A connection that notices when PostgreSQL stops answering.

PostgreSQL keeps its own limits on statements and locks. A server that is frozen, or behind a
network that swallows packets, keeps none, and its clients would wait forever. So after a while
without an answer the connection checks, over another socket, that the server still responds.
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

#: Seconds without an answer until the server is checked, and between further checks.
PATIENCE = 1.5
#: Seconds it has to answer the check.
ANSWERS_WITHIN = 1.0
#: Seconds after a silence in which new connections check first, instead of timing out.
_WARY_SECONDS = 10.0

#: The message that asks for TLS; any server answers it with one byte.
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)


class _Last:
    """When a server last did not answer, by the process's monotonic clock."""

    silence = float("-inf")


class AttentiveConnection(psycopg.Connection[Any]):
    """Raise ``psycopg.OperationalError`` within seconds when the server stops answering."""

    @classmethod
    def connect(cls, *args: Any, **kwargs: Any) -> "AttentiveConnection":
        if time.monotonic() - _Last.silence < _WARY_SECONDS:
            host, port = str(kwargs.get("host", "")), str(kwargs.get("port", "") or "5432")
            if host and not is_responding(host, port):
                raise _silence_error()
        try:
            return super().connect(*args, **kwargs)
        except psycopg.errors.ConnectionTimeout:
            _Last.silence = time.monotonic()
            raise

    def wait(self, gen: Generator[Any, Any, T], *args: Any, **kwargs: Any) -> T:
        return super().wait(_attentive(gen, self.pgconn), *args, **kwargs)


def _attentive(gen: Generator[Any, Any, T], pgconn: pq.abc.PGconn) -> Generator[Any, Any, T]:
    """Yield what ``gen`` yields; the driver resumes it ten times a second while it waits."""
    last_sign = time.monotonic()
    try:
        state = next(gen)
        while True:
            ready = yield state
            state = gen.send(ready)
            if ready != Ready.NONE:
                last_sign = time.monotonic()
            elif _waits_for_result(pgconn) and time.monotonic() - last_sign > PATIENCE:
                if not is_responding(pgconn.host.decode(), pgconn.port.decode()):
                    pgconn.finish()  # nothing can be sent on it any more, not even ROLLBACK
                    raise _silence_error()
                _Last.silence = float("-inf")
                last_sign = time.monotonic()
    except StopIteration as stop:
        result: T = stop.value
        return result


def _waits_for_result(pgconn: pq.abc.PGconn) -> bool:
    """Tell whether an answer is due; a session that only listens for notifications gets none."""
    return pgconn.transaction_status == pq.TransactionStatus.ACTIVE


def is_responding(host: str, port: str) -> bool:
    """Tell whether a server answers at the address."""
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


def _silence_error() -> psycopg.OperationalError:
    _Last.silence = time.monotonic()
    return psycopg.OperationalError("the server has gone silent")
