"""RSS, Atom and RDF through feedparser; pure.

feedparser understands every dialect and trusts its input: it guesses where XML is broken, resolves
entities, and some of its expressions take quadratic time on hostile text. So it gets a distilled
copy: well-formed, without a DTD, with the elements that matter and texts of bounded length.
"""

import io
import re
from typing import Any

import feedparser

from entries.errors import SourceError
from entries.net.charset import DecodedText, decode, find_charset, find_codec, find_inner_codec
from entries.sources.base import Note
from entries.sources.feed.dates import Dates
from entries.sources.feed.distill import DistilledFeed, distill
from entries.sources.feed.items import FeedItem, absolute
from entries.text import clean_text, one_line, plain_text

_DECLARED = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9_.:-]{1,40})")


def read_xml_feed(
    body: bytes, *, content_type: str, url: str
) -> tuple[list[FeedItem], tuple[Note, ...]]:
    """Return the items, and notes about the document. ``url`` is the base of relative links.

    Raises ``SourceError`` with ``not_a_feed``, ``malformed`` or ``not_allowed``.
    """
    decoded = _decode(body, content_type)
    distilled = distill(decoded.text)
    parsed = _parse(distilled.data)
    if parsed.bozo:
        raise SourceError("malformed", f"broken XML: {one_line(parsed.bozo_exception, limit=200)}")
    # feedparser reads CDF and reports no version for it.
    cdf = distilled.data[:8].lower() == b"<channel" and parsed.entries
    if not parsed.version and not cdf:
        raise SourceError("not_a_feed", "the answer is XML, but neither RSS, Atom, RDF nor CDF")
    items = _Items(distilled, base=url, atom=parsed.version.startswith("atom"))
    found = [items.read(entry) for entry in parsed.entries]
    return found, build_notes(decoded.note, items.dates)


def build_notes(damage: str, dates: Dates) -> tuple[Note, ...]:
    """Build the notes on undecodable bytes and unread dates."""
    notes = (Note(damage, partial=True), Note(dates.note))
    return tuple(note for note in notes if note.text)


def _parse(data: bytes) -> Any:
    try:
        return feedparser.parse(
            io.BytesIO(data),
            # No base address: feedparser would resolve ids as well, and a feed that moves to https
            # would have other items.
            response_headers={"content-type": "application/xml; charset=utf-8"},
            # Both rewrite HTML, and only its words are kept.
            resolve_relative_uris=False,
            sanitize_html=False,
        )
    except Exception as error:
        # Such as a namespace with a space in it: feedparser trusts its input.
        raise SourceError(
            "malformed", f"cannot be read as a feed: {type(error).__name__}"
        ) from error


def _decode(body: bytes, content_type: str) -> DecodedText:
    """Decode by RFC 7303: byte order mark before header before declaration."""
    found = _DECLARED.match(body[:500])
    declared = find_inner_codec(found[1].decode()) if found else ""
    return decode(body, [find_codec(find_charset(content_type)), declared])


class _Items:
    """Reads the items of one feed as feedparser returns them."""

    def __init__(self, distilled: DistilledFeed, *, base: str, atom: bool) -> None:
        self._distilled = distilled
        self._base = base
        self._atom = atom
        self.dates = Dates()

    def read(self, entry: Any) -> FeedItem:
        id_, former_ids = self._ids(clean_text(entry.get("id"), limit=8_000).strip())
        return FeedItem(
            id=id_,
            link=self._link(clean_text(entry.get("link"), limit=8_000).strip()),
            title=self._words(entry.get("title"), entry.get("title_detail"), limit=500),
            published=self.dates.read(entry.get("published"), entry.get("published_parsed")),
            # Not the entry's own get(): that falls back to "published", with a warning.
            updated=self.dates.read(dict.get(entry, "updated"), dict.get(entry, "updated_parsed")),
            author=one_line(entry.get("author"), limit=200),
            summary=self._summary(entry),
            former_ids=former_ids,
        )

    def _ids(self, value: str) -> tuple[str, tuple[str, ...]]:
        """Return the id as written, and as it was resolved before, with http and https."""
        written = self._distilled.find_id(value)
        if written is None:
            return value, ()
        id_, resolved = (
            clean_text(text, limit=8_000).strip() for text in (written.text, written.resolved)
        )
        scheme, colon, rest = resolved.partition("://")
        if resolved == id_ or not colon:
            return id_, ()
        other = {"http": "https", "https": "http"}.get(scheme, scheme)
        return id_, (resolved, f"{other}://{rest}")

    def _link(self, value: str) -> str:
        """Return the absolute link; an id may be the link as well."""
        written = self._distilled.find_id(value)
        link = value if written is None else written.resolved
        return absolute(clean_text(link, limit=2_000).strip(), self._base)

    def _summary(self, entry: Any) -> str:
        """Return the summary, else the beginning of the first content."""
        texts = [(entry.get("summary"), entry.get("summary_detail"))]
        texts += [(content.get("value"), content) for content in entry.get("content", ())]
        words = (self._words(value, detail, limit=2_000) for value, detail in texts)
        return next(filter(None, words), "")

    def _words(self, value: object, detail: Any, *, limit: int) -> str:
        """Return plain text. Atom says whether a text is markup; in RSS it may always be."""
        if self._atom and (detail or {}).get("type") == "text/plain":
            return one_line(value, limit=limit)
        return plain_text(value, limit=limit)
