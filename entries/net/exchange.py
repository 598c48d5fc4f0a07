"""One request and its answer: the common part of GET and POST."""

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
from django.conf import settings

from entries.net.addresses import is_allowed
from entries.net.body import ACCEPT_ENCODING
from entries.net.connection import Connection, ConnectionBroke, NoConnection, Place, connect
from entries.net.deadline import Deadline, DeadlinePassed
from entries.net.errors import (
    AddressRefused,
    BrokenAnswer,
    InvalidAddress,
    TimedOut,
    Unreachable,
)
from entries.net.pool import POOL
from entries.net.resolver import RESOLVER
from entries.net.response import NotHTTP, Response
from entries.net.urls import display_url

_PORTS = {"http": 80, "https": 443}
_LINES = re.compile(r"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [\t\x20-\x7e]*\r\n)*")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with its decoded body.

    ``url`` is where the answer came from after redirects, without user and password. ``headers``
    may hold any garbage. ``cut``: only the beginning of the body was read.
    """

    url: str
    status: int
    headers: httpx.Headers
    body: bytes
    seconds: float
    cut: bool = False


class NotSendable(Exception):
    """A request that HTTP cannot express."""


class _Stale(Exception):
    """A connection that was used before ended without a byte of an answer.

    The server closed it while it was idle, and the request crossed that on its way.
    """


class Exchange:
    """A context manager for one request: entered, the head of the answer is there.

    The caller reads the body. At the end the connection is kept for the next request, where the
    answer was read to its end and nothing was wrong with it, else it is closed. Where a kept
    connection turns out to be closed, the request is repeated once, on a new one: a server that
    closes an idle connection has not read it. One that died of the request may have, so requests
    must be repeatable.
    """

    def __init__(
        self,
        target: httpx.URL,
        deadline: Deadline,
        *,
        method: str,
        headers: Mapping[str, str] | None,
        body: bytes | None = None,
    ) -> None:
        self._target = target
        self._deadline = deadline
        self._request = (method, headers, body)
        self._connection: Connection | None = None
        self._response: Response | None = None

    @property
    def status_line(self) -> int:
        """The status of the last answer's first line; 0 before there is one."""
        return self._response.status_line if self._response else 0

    def __enter__(self) -> Response:
        method, headers, body = self._request
        request = _write_request(self._target, method, headers, body)
        places = find_places(self._target, self._deadline)
        idle = _take_idle(places)
        try:
            if idle is not None:
                with suppress(_Stale):
                    return self._ask(idle, request)
            return self._ask(connect(places, self._deadline), request)
        except BaseException:
            self._close()
            raise

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self._connection and self._response and self._response.allows_another:
            self._response.release()
            POOL.keep(self._connection)
        else:
            self._close()

    def _ask(self, connection: Connection, request: bytes) -> Response:
        """Send the request and read the head of its answer. Raises ``_Stale``."""
        self._connection = connection
        self._response = response = Response(connection, self._deadline)
        try:
            with suppress(ConnectionBroke):  # a server may answer and close before it has read all
                connection.send(request, self._deadline)
            response.read_head()
        except (ConnectionBroke, NotHTTP) as error:
            if response.received or not connection.reused:
                raise
            connection.close()
            raise _Stale from error
        return response

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._response is not None:
            self._response.release()


def find_places(target: httpx.URL, deadline: Deadline) -> list[Place]:
    """Return where ``target`` may be connected to, in the resolver's order.

    Raises ``AddressRefused`` where no address is allowed, ``Unreachable`` and ``DeadlinePassed``.
    """
    scheme, host = target.scheme, target.raw_host.decode("ascii")
    port = target.port or _PORTS[scheme]
    addresses = RESOLVER.resolve(host, port, deadline)
    allowed = [Place(scheme, host, port, each) for each in addresses if is_allowed(each)]
    if not allowed:
        raise AddressRefused(f"{host} is at {addresses[0]}, which is not a public address")
    return allowed


def build_headers(target: httpx.URL, own: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the headers of a request to ``target``; ``own`` ones replace the defaults."""
    sent: dict[str, str] = {
        "User-Agent": settings.REDRIVE_USER_AGENT,
        "Accept": "*/*",
        "Accept-Encoding": ACCEPT_ENCODING,
        **(own or {}),
    }
    if target.userinfo:
        credentials = f"{target.username}:{target.password}".encode()
        sent["Authorization"] = f"Basic {b64encode(credentials).decode('ascii')}"
    return sent


@contextmanager
def translate_errors(target: httpx.URL, deadline: Deadline, *, doing: str) -> Iterator[None]:
    """Raise what goes wrong as ``entries.net.errors``; ``doing`` is such as "fetching"."""
    try:
        yield
    except DeadlinePassed as error:
        words = f"timed out after {deadline.seconds:g} s {doing} {display_url(target)}"
        raise TimedOut(words) from error
    except NoConnection as error:
        raise Unreachable(f"no connection to {display_url(target)}: {error}") from error
    except ConnectionBroke as error:
        words = f"the connection broke while {doing} {display_url(target)}: {error}"
        raise Unreachable(words) from error
    except NotSendable as error:
        raise InvalidAddress(f"cannot be requested, {display_url(target)}: {error}") from error
    except NotHTTP as error:
        raise BrokenAnswer(f"no proper HTTP from {display_url(target)}: {error}") from error


def parse_retry_after(value: str | None, *, now: datetime) -> float | None:
    """Return the seconds of a ``Retry-After`` header (a number or a date); None for garbage."""
    if value is None:
        return None
    value = value.strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return float(value)
    try:
        date = parsedate_to_datetime(value[:100])
        return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds())
    except (ValueError, OverflowError):
        return None


def _take_idle(places: Sequence[Place]) -> Connection | None:
    return next(filter(None, map(POOL.take, places)), None)


def _write_request(
    target: httpx.URL, method: str, headers: Mapping[str, str] | None, body: bytes | None
) -> bytes:
    sent = {"Host": target.netloc.decode("ascii"), **build_headers(target, headers)}
    if body is not None:
        sent["Content-Length"] = str(len(body))
    lines = "".join([f"{name}: {value}\r\n" for name, value in sent.items()])
    if not _LINES.fullmatch(lines) or lines.count("\n") != len(sent):
        raise NotSendable("a header has characters that HTTP does not allow")
    head = f"{method} {target.raw_path.decode('ascii')} HTTP/1.1\r\n{lines}\r\n"
    return head.encode("ascii") + (body or b"")
