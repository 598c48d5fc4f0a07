"""Fetch a page and note what it is."""

import codecs
import hashlib
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from django.conf import settings

from entries.errors import PermanentError
from entries.kinds.base import AttemptData, EntryData, Kind, RetryPolicy
from entries.kinds.registry import register
from entries.net import fetch
from entries.text import clean_text, plain_text

#: Where a title is looked for.
_HEAD = 64 * 1024
_TITLE = re.compile(r"<title\b[^<>]*>([^<]*)", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s{0,5}=\s{0,5}[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
#: Codecs that no page is written in: they are slow on purpose or decode to something else.
_NOT_FOR_PAGES = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})


@register
class PageKind(Kind):
    """Payload ``{"url": "https://…"}``.

    The result has ``status``, ``title``, ``sha256`` and ``size`` of the body, ``elapsed_ms`` and
    ``url``, where the answer came from after redirects.
    """

    name: ClassVar[str] = "page"
    description: ClassVar[str] = "Fetches a page and notes its title, size and checksum."
    time_limit: ClassVar[float] = float(getattr(settings, "REDRIVE_PAGE_TIME_LIMIT", 20.0))
    retry_policy: ClassVar[RetryPolicy] = RetryPolicy(
        limit=int(getattr(settings, "REDRIVE_PAGE_AUTOMATIC_RETRIES", 0))
    )

    def process(self, entry: EntryData, attempt: AttemptData) -> Mapping[str, Any]:
        # The fetch gives up a little earlier than the worker would, because it can say on what.
        answer = fetch(
            address_of(entry.payload),
            seconds=self.time_limit - min(1.0, self.time_limit / 10),
            max_bytes=getattr(settings, "REDRIVE_PAGE_MAX_BYTES", 5_000_000),
        )
        return {
            "status": answer.status,
            "title": title_of(answer.body, content_type=answer.headers.get("content-type", "")),
            "sha256": hashlib.sha256(answer.body).hexdigest(),
            "size": len(answer.body),
            "elapsed_ms": round(answer.seconds * 1000),
            "url": clean_text(answer.url, limit=2_000),
        }


def address_of(payload: Mapping[str, Any]) -> str:
    url = payload.get("url")
    if not isinstance(url, str) or not url.strip():
        raise PermanentError('the payload has no "url"')
    return url


def title_of(body: bytes, *, content_type: str) -> str:
    """The text of the first ``<title>`` on one line; empty where there is none."""
    head = body[:_HEAD]
    found = _TITLE.search(_decode(head, content_type))
    return plain_text(found[1], limit=300) if found else ""


def _decode(head: bytes, content_type: str) -> str:
    """By byte order mark, header, or what the page says of itself; else as UTF-8."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return head.decode("utf-16", "replace")
    said = _CHARSET.search(content_type) or _CHARSET.search(head[:2048].decode("latin-1"))
    try:
        name = codecs.lookup(said[1]).name if said else "utf-8"
        return head.decode("utf-8" if name in _NOT_FOR_PAGES else name, "replace")
    except (LookupError, ValueError):
        return head.decode("utf-8", "replace")
