"""The kind ``page``: fetches a page and notes what it is."""

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar

from django.conf import settings
from django.utils.translation import gettext_noop

from entries.errors import PermanentError
from entries.kinds.base import AttemptData, Breaker, EntryData, Kind, RetryPolicy
from entries.kinds.registry import register
from entries.net import InvalidAddress, fetch
from entries.net.charset import decode, find_charset, find_codec, find_inner_codec
from entries.net.urls import host_and_port, parse
from entries.text import clean_text, plain_text

#: Bytes in which the title is searched.
_HEAD = 64 * 1024
_ORIGIN = re.compile(r"\s*(https?://[^/?#\s]+)", re.IGNORECASE)
_TITLE = re.compile(r"<title\b[^<>]*>", re.IGNORECASE)
_TITLE_END = re.compile(r"</title\b", re.IGNORECASE)


@register
class PageKind(Kind):
    """Payload ``{"url": "https://…"}``.

    The result has ``status``, ``title``, ``sha256`` and ``size`` of the body, ``elapsed_ms`` and
    ``url``, where the answer came from after redirects.
    """

    name: ClassVar[str] = "page"
    description: ClassVar[str] = gettext_noop(
        "Fetches a page and notes its title, size and checksum."
    )
    time_limit: ClassVar[float] = settings.REDRIVE_PAGE_TIME_LIMIT
    concurrency: ClassVar[int] = settings.REDRIVE_PAGE_CONCURRENCY
    upstream_concurrency: ClassVar[int] = settings.REDRIVE_PAGE_UPSTREAM_CONCURRENCY
    run_size: ClassVar[int] = 100
    breaker: ClassVar[Breaker] = Breaker.side_by_side(upstream_concurrency)
    retry_policy: ClassVar[RetryPolicy] = RetryPolicy(limit=settings.REDRIVE_PAGE_AUTOMATIC_RETRIES)
    payload_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "required": ["url"],
        "properties": {"url": {"type": "string", "format": "uri"}},
    }

    def process(self, entry: EntryData, attempt: AttemptData) -> Mapping[str, Any]:
        # The fetch ends a little before the worker's time limit, because its error says more.
        summary = Summary()
        answer = fetch(
            read_address(entry.payload),
            seconds=self.time_limit - min(1.0, self.time_limit / 10),
            max_bytes=settings.REDRIVE_PAGE_MAX_BYTES,
            sink=summary.add,
        )
        content_type = answer.headers.get("content-type", "")
        return {
            "status": answer.status,
            "title": extract_title(bytes(summary.head), content_type=content_type),
            "sha256": summary.digest.hexdigest(),
            "size": summary.size,
            "elapsed_ms": round(answer.seconds * 1000),
            "url": clean_text(answer.url, limit=2_000),
        }

    def upstream(self, payload: Mapping[str, Any], *, source: str | None) -> str:
        """Return the host, with its port where that is not the scheme's usual one."""
        url = payload.get("url")
        origin = _ORIGIN.match(url) if isinstance(url, str) else None
        return _host_at(origin[1]) if origin else ""

    def problems_with(self, payload: Mapping[str, Any]) -> list[str]:
        try:
            parse(read_address(payload))
        except PermanentError as error:
            return [str(error)]
        return []


class Summary:
    """What is noted of a body, which goes by piece by piece: pages at once are many and large."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self.size = 0
        self.head = bytearray()

    def add(self, piece: bytes) -> None:
        self.digest.update(piece)
        self.size += len(piece)
        if len(self.head) < _HEAD:
            self.head += piece[: _HEAD - len(self.head)]


@lru_cache(maxsize=4096)
def _host_at(origin: str) -> str:
    """Cached, because a source has thousands of links to the same few hosts."""
    try:
        return host_and_port(parse(origin))
    except InvalidAddress:
        return ""


def read_address(payload: Mapping[str, Any]) -> str:
    url = payload.get("url")
    if not isinstance(url, str) or not url.strip():
        raise PermanentError('the payload has no "url"')
    return url


def extract_title(body: bytes, *, content_type: str) -> str:
    """Return the text of the first ``<title>`` on one line; empty without one."""
    text = _decode(body[:_HEAD], content_type)
    begin = _TITLE.search(text)
    end = _TITLE_END.search(text, begin.end()) if begin else None
    return plain_text(text[begin.end() : end.start()], limit=300) if begin and end else ""


def _decode(head: bytes, content_type: str) -> str:
    """Decode by byte order mark, header, or the page's own declaration; else as UTF-8."""
    own = find_inner_codec(find_charset(head[:2048].decode("latin-1")))
    return decode(head, [find_codec(find_charset(content_type)), own]).text
