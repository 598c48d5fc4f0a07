"""One GET, followed through its redirects, within one deadline."""

import re
import time
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

from entries.net.body import ACCEPT_ENCODING, read_body
from entries.net.connection import Deadline, DeadlinePassed, GuardedBackend
from entries.net.errors import (
    BrokenAnswer,
    InvalidAddress,
    RequestRefused,
    ServerUnavailable,
    TimedOut,
    TooLarge,
    TooManyRedirects,
    Unreachable,
)

MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CONDITIONS = frozenset({"if-none-match", "if-modified-since"})
_COME_BACK_LATER = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx with its decoded body, or a 304 without one where the request was conditional.

    ``url`` is where the answer came from in the end, without user and password. ``headers`` may
    hold any garbage.
    """

    url: str
    status: int
    headers: httpx.Headers
    body: bytes
    seconds: float


def fetch(
    url: str, *, seconds: float, max_bytes: int, headers: Mapping[str, str] | None = None
) -> Answer:
    """GET ``url`` within ``seconds`` in all, at most ``max_bytes`` after decompression.

    Follows up to 5 redirects and checks each address before connecting to it. Proxies of the
    environment are not used: they would connect to what was not checked. Raises the errors of
    ``entries.net.errors`` and nothing else; their messages name the URL without user, password
    and query.
    """
    deadline = Deadline(seconds)
    started = time.monotonic()
    target = parse(url)
    seen = {target}
    conditional = not _CONDITIONS.isdisjoint(map(str.lower, headers or ()))
    with _pool(deadline) as pool:
        for _ in range(MAX_REDIRECTS + 1):
            with _translated(target, deadline), _get(pool, target, headers) as response:
                found = httpx.Headers(response.headers)
                location = found.get("location") if response.status in _REDIRECTS else None
                if location is None:
                    _require_success(response.status, found, target, conditional=conditional)
                    body = _body(response, found, target, max_bytes)
                    took = time.monotonic() - started
                    return Answer(_anonymous(target), response.status, found, body, took)
            target = parse(location, base=target)
            if target in seen:
                raise TooManyRedirects(f"redirected in a circle at {shown(target)}")
            seen.add(target)
    raise TooManyRedirects(f"more than {MAX_REDIRECTS} redirects from {shown(parse(url))}")


def parse(url: str, *, base: httpx.URL | None = None) -> httpx.URL:
    """An absolute http or https URL without fragment. Raises ``InvalidAddress``."""
    try:
        parsed = httpx.URL(url.strip()).copy_with(fragment=None)
        if base is not None:
            parsed = base.join(parsed)
        host = parsed.raw_host
    except (httpx.InvalidURL, ValueError) as error:
        raise InvalidAddress(f"not a valid URL: {error}") from error
    if parsed.scheme not in {"http", "https"} or not host:
        scheme = parsed.scheme[:20] or "no scheme"
        raise InvalidAddress(f"only absolute http and https URLs are fetched, not {scheme}")
    if parsed.port is not None and not 0 < parsed.port < 65_536:
        raise InvalidAddress("not a valid URL: there is no such port")
    return parsed


def shown(url: httpx.URL) -> str:
    """``url`` for messages: without user, password, query and fragment, at most some 300 long."""
    port = "" if url.port is None else f":{url.port}"
    host = f"[{url.host}]" if b":" in url.raw_host else url.raw_host.decode("ascii")
    path = url.raw_path.partition(b"?")[0].decode("ascii")[:300]
    return f"{url.scheme}://{host}{port}{path}{'?…' if url.query else ''}"


def _anonymous(url: httpx.URL) -> str:
    return str(url.copy_with(userinfo=b"") if url.userinfo else url)


def retry_after(value: str | None, *, now: datetime) -> float | None:
    """Seconds from a ``Retry-After`` header, given as seconds or as a date; None for garbage."""
    if value is None:
        return None
    value = value.strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return float(value)
    try:
        date = parsedate_to_datetime(value[:100])
    except ValueError:
        return None
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds())


@cache
def _ssl_context() -> SSLContext:
    # Reading the authorities takes milliseconds, so once per process. It takes SSL_CERT_FILE
    # from the environment: whoever runs the service may trust an authority of their own.
    return httpx.create_ssl_context()


def _pool(deadline: Deadline) -> httpcore.ConnectionPool:
    """A pool for this fetch alone: no connection outlives it, or a fork."""
    return httpcore.ConnectionPool(
        ssl_context=_ssl_context(),
        max_keepalive_connections=0,
        network_backend=GuardedBackend(deadline),
    )


@contextmanager
def _get(
    pool: httpcore.ConnectionPool, target: httpx.URL, headers: Mapping[str, str] | None
) -> Iterator[httpcore.Response]:
    sent: dict[str, str] = {
        "User-Agent": str(getattr(settings, "REDRIVE_USER_AGENT", "Redrive")),
        "Accept": "*/*",
        "Accept-Encoding": ACCEPT_ENCODING,
        "Connection": "close",
        **(headers or {}),
    }
    if target.userinfo:
        credentials = f"{target.username}:{target.password}".encode()
        sent["Authorization"] = f"Basic {b64encode(credentials).decode('ascii')}"
    url = httpcore.URL(
        scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path
    )
    with pool.stream("GET", url, headers=list(sent.items())) as response:
        yield response


@contextmanager
def _translated(target: httpx.URL, deadline: Deadline) -> Iterator[None]:
    """The library's words into ours."""
    where = shown(target)
    try:
        yield
    except (DeadlinePassed, httpcore.TimeoutException) as error:
        raise TimedOut(f"timed out after {deadline.seconds:g} s fetching {where}") from error
    except httpcore.ConnectError as error:
        raise Unreachable(f"no connection to {where}: {error}") from error
    except httpcore.NetworkError as error:
        raise Unreachable(f"the connection broke while fetching {where}: {error}") from error
    except httpcore.LocalProtocolError as error:
        raise InvalidAddress(f"cannot be asked for, {where}: {error}") from error
    except httpcore.RemoteProtocolError as error:
        raise BrokenAnswer(f"no proper HTTP from {where}: {error}") from error


def _require_success(
    status: int, headers: httpx.Headers, target: httpx.URL, *, conditional: bool
) -> None:
    if 200 <= status < 300 or (status == 304 and conditional):
        return
    message = f"HTTP {status} from {shown(target)}"
    if status >= 500 or status in _COME_BACK_LATER:
        after = retry_after(headers.get("retry-after"), now=datetime.now(UTC))
        raise ServerUnavailable(message, retry_after=after)
    raise RequestRefused(message, status=status)


def _body(
    response: httpcore.Response, headers: httpx.Headers, target: httpx.URL, max_bytes: int
) -> bytes:
    encoding = headers.get("content-encoding", "")
    announced = headers.get("content-length", "")
    if not encoding and re.fullmatch(r"[0-9]{1,18}", announced) and int(announced) > max_bytes:
        size = f"{int(announced):,} bytes, more than {max_bytes:,}"
        raise TooLarge(f"{size} from {shown(target)}")
    try:
        return read_body(response.iter_stream(), encoding=encoding, max_bytes=max_bytes)
    except (TooLarge, BrokenAnswer) as error:
        raise type(error)(f"{error} from {shown(target)}") from error
