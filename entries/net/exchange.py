"""One request and its answer: the common part of GET and POST."""

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from ssl import SSLContext

import httpcore
import httpx
from django.conf import settings

from entries.net.body import ACCEPT_ENCODING
from entries.net.connection import Deadline, DeadlinePassed, GuardedBackend
from entries.net.errors import (
    BrokenAnswer,
    InvalidAddress,
    TimedOut,
    Unreachable,
)
from entries.net.urls import display_url


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


def build_headers(target: httpx.URL, own: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the headers of a request to ``target``; ``own`` ones replace the defaults."""
    sent: dict[str, str] = {
        "User-Agent": settings.REDRIVE_USER_AGENT,
        "Accept": "*/*",
        "Accept-Encoding": ACCEPT_ENCODING,
        "Connection": "close",
        **(own or {}),
    }
    if target.userinfo:
        credentials = f"{target.username}:{target.password}".encode()
        sent["Authorization"] = f"Basic {b64encode(credentials).decode('ascii')}"
    return sent


def create_pool(backend: GuardedBackend) -> httpcore.ConnectionPool:
    """Create a pool for one exchange: no connection outlives it, or a fork.

    It connects to checked addresses only and ignores proxies of the environment, which would
    connect to unchecked ones.
    """
    return httpcore.ConnectionPool(
        ssl_context=_ssl_context(),
        max_keepalive_connections=0,
        network_backend=backend,
    )


@cache
def _ssl_context() -> SSLContext:
    # Reading the authorities takes milliseconds, so once per process. SSL_CERT_FILE counts, so
    # operators can trust an authority of their own.
    return httpx.create_ssl_context()


@contextmanager
def ask(
    pool: httpcore.ConnectionPool,
    target: httpx.URL,
    *,
    method: str,
    headers: Mapping[str, str] | None,
    body: bytes | None = None,
) -> Iterator[httpcore.Response]:
    """Yield the answer as soon as its headers are there; the caller reads the body."""
    url = httpcore.URL(
        scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path
    )
    # Set here because the library forgets the brackets of IPv6.
    sent = [("Host", target.netloc.decode("ascii")), *build_headers(target, headers).items()]
    with pool.stream(method, url, headers=sent, content=body) as response:
        yield response


@contextmanager
def translate_errors(target: httpx.URL, deadline: Deadline, *, doing: str) -> Iterator[None]:
    """Raise the library's errors as ours; ``doing`` is a word such as "fetching"."""
    where = display_url(target)
    try:
        yield
    except (DeadlinePassed, httpcore.TimeoutException) as error:
        raise TimedOut(f"timed out after {deadline.seconds:g} s {doing} {where}") from error
    except httpcore.ConnectError as error:
        raise Unreachable(f"no connection to {where}: {error}") from error
    except httpcore.NetworkError as error:
        raise Unreachable(f"the connection broke while {doing} {where}: {error}") from error
    except httpcore.LocalProtocolError as error:
        raise InvalidAddress(f"cannot be requested, {where}: {error}") from error
    except httpcore.RemoteProtocolError as error:
        raise BrokenAnswer(f"no proper HTTP from {where}: {error}") from error


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
