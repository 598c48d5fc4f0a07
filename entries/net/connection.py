"""Connections that keep their deadline and connect to checked addresses only.

A name is resolved once and the connection goes to the address that passed the check, so a second
answer from the name server cannot change the destination. TLS still verifies the name, because the
name stays in the request; only the socket gets the address.
"""

import socket
import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any

import httpcore

from entries.net.addresses import is_allowed
from entries.net.errors import AddressRefused, Unreachable
from entries.net.heads import Head


class DeadlinePassed(Exception):
    """The deadline has passed; ``fetch`` turns this into ``TimedOut`` with the address."""


class Deadline:
    """A point in monotonic time."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def require_time(self) -> float:
        """Return the seconds until then, more than 0. Raises ``DeadlinePassed``."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise DeadlinePassed
        return left


class GuardedBackend(httpcore.NetworkBackend):
    """Opens connections for one fetch, each for one request."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._head = Head()
        self._backend = httpcore.SyncBackend()

    @property
    def status(self) -> int:
        """The status of the last answer's first line; 0 before there is one."""
        return self._head.status

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = resolve(host, port, self._deadline)
        allowed = [address for address in addresses if is_allowed(address)]
        if not allowed:
            raise AddressRefused(f"{host} is at {addresses[0]}, which is not a public address")
        for position, address in enumerate(allowed):
            # An address that does not answer must leave time for the next ones.
            patience = self._deadline.require_time() / (len(allowed) - position)
            try:
                stream = self._backend.connect_tcp(
                    address, port, timeout=patience, socket_options=socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if position == len(allowed) - 1:
                    raise
            else:
                self._head = Head()
                return DeadlineStream(stream, self._deadline, self._head)
        raise AssertionError("unreachable")


class DeadlineStream(httpcore.NetworkStream):
    """Every operation gets the time that is left of the whole fetch.

    A limit per read alone would let a server that sends a byte a second hold a worker forever.
    """

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline, head: Head) -> None:
        self._stream = stream
        self._deadline = deadline
        self._head = head

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while True:
            data = self._stream.read(max_bytes, timeout=self._deadline.require_time())
            passed = self._head.pass_on(data)
            if passed or not data:
                return passed

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout=self._deadline.require_time())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(
            ssl_context, server_hostname=server_hostname, timeout=self._deadline.require_time()
        )
        return DeadlineStream(stream, self._deadline, self._head)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def resolve(host: str, port: int, deadline: Deadline) -> list[str]:
    """Return the numeric addresses of ``host``, in the resolver's order, each once.

    ``getaddrinfo`` takes no time limit, so it runs in a thread that is abandoned when the deadline
    passes. Raises ``Unreachable`` and ``DeadlinePassed``.
    """
    answer: list[list[str] | OSError | UnicodeError] = []

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.append(list(dict.fromkeys(str(info[4][0]) for info in found)))
        except (OSError, UnicodeError) as error:
            answer.append(error)

    thread = threading.Thread(target=ask, name="resolve", daemon=True)
    thread.start()
    thread.join(deadline.require_time())
    if not answer:
        raise DeadlinePassed
    found = answer[0]
    if isinstance(found, list) and found:
        return found
    cause = None if isinstance(found, list) else found
    raise Unreachable(f"the name {host} could not be resolved") from cause
