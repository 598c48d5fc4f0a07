"""JSON Feed 1.0 and 1.1 (https://jsonfeed.org/version/1.1); pure."""

from collections.abc import Mapping
from typing import Any

from entries.errors import SourceError
from entries.sources.base import Note
from entries.sources.feed.dates import Dates
from entries.sources.feed.items import FeedItem, absolute
from entries.sources.feed.xml_feed import build_notes
from entries.sources.json_values import parse_json
from entries.text import clean_text, one_line, plain_text

_VERSION = "://jsonfeed.org/version/1"


def looks_like_json(body: bytes) -> bool:
    return body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in {b"{", b"["}


def read_json_feed(body: bytes, *, url: str) -> tuple[list[FeedItem], tuple[Note, ...]]:
    """Return the items, and notes about the document. Raises ``SourceError``."""
    feed, damage = parse_json(body)
    if not isinstance(feed, dict) or _VERSION not in str(feed.get("version", ""))[:100]:
        raise SourceError("not_a_feed", "the answer is JSON, but not a JSON Feed")
    items = feed.get("items")
    if not isinstance(items, list):
        raise SourceError("malformed", 'the JSON Feed has no list of "items"')
    dates = Dates()
    found = [
        _read_item(item, url, dates) if isinstance(item, dict) else FeedItem() for item in items
    ]
    return found, build_notes(damage, dates)


def _read_item(item: Mapping[str, Any], base: str, dates: Dates) -> FeedItem:
    text = item.get("summary") or item.get("content_text")
    return FeedItem(
        id=_read_id(item.get("id")),
        link=_read_link(item.get("url") or item.get("external_url"), base),
        title=one_line(_as_text(item.get("title")), limit=500),
        published=dates.read(item.get("date_published")),
        updated=dates.read(item.get("date_modified")),
        author=_read_author(item),
        summary=one_line(_as_text(text), limit=2_000)
        or plain_text(_as_text(item.get("content_html")), limit=2_000),
    )


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _read_id(value: object) -> str:
    """Return the id as text. Numbers are read as text, as the specification demands."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return clean_text(value, limit=8_000).strip()


def _read_link(value: object, base: str) -> str:
    return absolute(clean_text(_as_text(value), limit=2_000).strip(), base)


def _read_author(item: Mapping[str, Any]) -> str:
    """Return the names of the authors (1.1) or the author (1.0)."""
    authors = item.get("authors")
    listed = authors if isinstance(authors, list) else [item.get("author")]
    names = [_as_text(author.get("name")) for author in listed[:20] if isinstance(author, dict)]
    return one_line(", ".join(filter(None, names)), limit=200)
