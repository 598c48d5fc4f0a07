"""Connections to checked addresses, each used by one thread at a time.

A name is resolved and the connection goes to the address that passed the check, so another answer
from the name server cannot change the destination. TLS still verifies the name: only the socket
gets the address.
"""

import select
import socket
import ssl
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import httpx

from entries.net.deadline import Deadline, DeadlinePassed

#: Bytes that are read at a time.
STEP = 64 * 1024


class NoConnection(Exception):
    """No connection, or no TLS on it."""


class ConnectionBroke(Exception):
    """A connection that stood is gone."""


class Place(NamedTuple):
    """Where a connection leads: the host that was requested, and the address it goes to."""

    scheme: str
    host: str
    port: int
    address: str


class Connection:
    """A TCP connection with or without TLS.

    Every operation gets the time that is left of the whole exchange: a limit per read alone would
    let a server that sends a byte a second hold a worker forever. Raises ``DeadlinePassed`` and
    ``ConnectionBroke``.
    """

    __slots__ = ("_socket", "idle_since", "place", "reused")

    def __init__(self, place: Place, connected: socket.socket) -> None:
        self.place = place
        #: Whether a request was answered on it before.
        self.reused = False
        self.idle_since = 0.0
        self._socket = connected

    def send(self, data: bytes, deadline: Deadline) -> None:
        rest = memoryview(data)
        try:
            while rest:
                self._socket.settimeout(deadline.require_time())
                rest = rest[self._socket.send(rest) :]
        except TimeoutError as error:
            raise DeadlinePassed from error
        except OSError as error:
            raise ConnectionBroke(str(error)) from error

    def receive(self, deadline: Deadline) -> bytes:
        """Return some bytes; none at the end."""
        try:
            self._socket.settimeout(deadline.require_time())
            return self._socket.recv(STEP)
        except TimeoutError as error:
            raise DeadlinePassed from error
        except OSError as error:
            raise ConnectionBroke(str(error)) from error

    def is_silent(self) -> bool:
        """Say whether it stands and nothing has come in, as between two requests.

        What comes in unrequested is the other side's good-bye, or belongs to no request.
        """
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return False
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        self._socket.close()


def connect(places: Sequence[Place], deadline: Deadline) -> Connection:
    """Connect to the first of ``places`` that can be reached; they differ in their address.

    Raises ``NoConnection`` and ``DeadlinePassed``.
    """
    for position, place in enumerate(places):
        # An address that does not answer must leave time for the next ones.
        patience = deadline.require_time() / (len(places) - position)
        try:
            opened = _open(place, patience)
        except OSError as error:
            if position < len(places) - 1:
                continue
            if isinstance(error, TimeoutError):
                raise DeadlinePassed from error
            raise NoConnection(str(error)) from error
        return Connection(place, _secure(opened, place, deadline))
    raise AssertionError("unreachable")


def _open(place: Place, seconds: float) -> socket.socket:
    family = socket.AF_INET6 if ":" in place.address else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.settimeout(seconds)
        opened.connect((place.address, place.port))
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        opened.close()
        raise
    return opened


def _secure(opened: socket.socket, place: Place, deadline: Deadline) -> socket.socket:
    if place.scheme != "https":
        return opened
    try:
        opened.settimeout(deadline.require_time())
        return _tls().wrap_socket(opened, server_hostname=place.host)
    except BaseException as error:
        opened.close()
        if isinstance(error, TimeoutError):
            raise DeadlinePassed from error
        if isinstance(error, OSError | ValueError):
            raise NoConnection(str(error)) from error
        raise


@cache
def _tls() -> ssl.SSLContext:
    # Reading the authorities takes milliseconds, so once per process. SSL_CERT_FILE counts, so
    # operators can trust an authority of their own.
    context = httpx.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
