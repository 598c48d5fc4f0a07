"""One GET with its redirects, within one deadline."""

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import httpx

from entries.net.body import read_body
from entries.net.deadline import Deadline
from entries.net.errors import (
    BrokenAnswer,
    RequestRefused,
    ServerUnavailable,
    TooLarge,
    TooManyRedirects,
)
from entries.net.exchange import Answer, Exchange, parse_retry_after, translate_errors
from entries.net.response import Response
from entries.net.urls import anonymous, display_url, origin, parse

MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CONDITIONS = frozenset({"if-none-match", "if-modified-since"})
_CREDENTIALS = frozenset({"authorization", "cookie", "proxy-authorization"})
_COME_BACK_LATER = frozenset({408, 425, 429})


def fetch(
    url: str,
    *,
    seconds: float,
    max_bytes: int,
    headers: Mapping[str, str] | None = None,
    sink: Callable[[bytes], object] | None = None,
) -> Answer:
    """GET ``url`` within ``seconds`` in all, at most ``max_bytes`` after decompression.

    ``sink`` gets the decoded body piece by piece instead of ``Answer.body``, so that no more of it
    is in memory than a piece of 64 KiB; also where the rest does not come.
    Returns a 2xx, or a 304 without a body where the request was conditional. Follows up to 5
    redirects and checks each address before connecting to it; user and password are sent to the
    same scheme, host and port only. Raises the errors of ``entries.net.errors`` and nothing else;
    their messages name the URL without user, password and query.
    """
    deadline = Deadline(seconds)
    started = time.monotonic()
    target = parse(url)
    seen = {target}
    conditional = not _CONDITIONS.isdisjoint(map(str.lower, headers or ()))
    body = bytearray()
    for _ in range(MAX_REDIRECTS + 1):
        with (
            translate_errors(target, deadline, doing="fetching"),
            Exchange(target, deadline, method="GET", headers=headers) as response,
        ):
            found = httpx.Headers(response.headers)
            location = found.get("location", "") if response.status in _REDIRECTS else ""
            refusal = _find_refusal(response, target, conditional=conditional)
            if refusal is None:
                _read(response, target, max_bytes, sink or body.extend)
                took = time.monotonic() - started
                return Answer(anonymous(target), response.status, found, bytes(body), took)
        if not location:
            # Outside, so that the connection is kept where the answer was whole.
            raise refusal
        target, headers = _follow_redirect(target, location, headers)
        if target in seen:
            raise TooManyRedirects(f"redirected in a loop at {display_url(target)}")
        seen.add(target)
    raise TooManyRedirects(f"more than {MAX_REDIRECTS} redirects from {display_url(parse(url))}")


def _follow_redirect(
    target: httpx.URL, location: str, headers: Mapping[str, str] | None
) -> tuple[httpx.URL, Mapping[str, str] | None]:
    """Return the next URL and its headers; credentials are not sent to another server."""
    following = parse(location, base=target)
    if origin(following) != origin(target):
        kept = {k: v for k, v in (headers or {}).items() if k.lower() not in _CREDENTIALS}
        return following, kept
    if target.userinfo and not following.userinfo:
        following = following.copy_with(userinfo=target.userinfo)
    return following, headers


def _find_refusal(
    response: Response, target: httpx.URL, *, conditional: bool
) -> ServerUnavailable | RequestRefused | None:
    status = response.status
    if 200 <= status < 300 or (status == 304 and conditional):
        return None
    message = f"HTTP {status} from {display_url(target)}"
    if status >= 500 or status in _COME_BACK_LATER:
        after = parse_retry_after(response.find_header(b"retry-after"), now=datetime.now(UTC))
        return ServerUnavailable(message, retry_after=after)
    return RequestRefused(message, status=status)


def _read(
    response: Response,
    target: httpx.URL,
    max_bytes: int,
    sink: Callable[[bytes], object],
) -> None:
    encoding = response.find_header(b"content-encoding")
    announced = response.find_header(b"content-length")
    compressed = encoding.strip().lower() not in {"", "identity"}
    if not compressed and re.fullmatch(r"[0-9]{1,18}", announced) and int(announced) > max_bytes:
        size = f"{int(announced):,} bytes, more than {max_bytes:,}"
        raise TooLarge(f"{size} from {display_url(target)}")
    try:
        read_body(response.read_body(), encoding=encoding, max_bytes=max_bytes, sink=sink)
    except (TooLarge, BrokenAnswer) as error:
        raise type(error)(f"{error} from {display_url(target)}") from error
