"""RSS, Atom and RDF through feedparser; pure.

feedparser understands every dialect, and trusts its input: it falls back to guessing where XML is
broken, resolves entities, and some of its expressions take quadratic time on hostile text. So it
is shown a distilled copy: well-formed, without a DTD, with the elements that matter and texts of
bounded length.
"""

import io
import re
import time
from datetime import UTC, datetime
from typing import Any

import feedparser

from entries.errors import SourceError
from entries.net.charset import charset_in, codec, decode, marked
from entries.sources.feed_distill import distill
from entries.sources.feed_items import Found, absolute
from entries.text import clean_text, one_line, plain_text

_DECLARED = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9_.:-]{1,40})")


def read_xml_feed(
    body: bytes, *, content_type: str, url: str
) -> tuple[list[Found], tuple[str, ...]]:
    """The items and notes about the document. ``url`` is what relative links start from.

    Raises ``SourceError`` with ``not_a_feed``, ``malformed`` or ``not_allowed``.
    """
    text, notes = _decoded(body, content_type)
    distilled = distill(text)
    parsed = _parsed(distilled)
    if parsed.bozo:
        raise SourceError("malformed", f"broken XML: {one_line(parsed.bozo_exception, limit=200)}")
    # feedparser reads CDF and has no version for it. Other documents may begin like it.
    cdf = distilled[:8].lower() == b"<channel" and parsed.entries
    if not parsed.version and not cdf:
        raise SourceError("not_a_feed", "the answer is XML, but neither RSS, Atom, RDF nor CDF")
    atom = parsed.version.startswith("atom")
    return [_found(entry, base=url, atom=atom) for entry in parsed.entries], notes


def _parsed(data: bytes) -> Any:
    try:
        return feedparser.parse(
            io.BytesIO(data),
            # No base address: feedparser would make addresses of ids as well, and a feed that moves
            # to https would be a feed of other items.
            response_headers={"content-type": "application/xml; charset=utf-8"},
            # Both rewrite HTML, of which only the words are kept.
            resolve_relative_uris=False,
            sanitize_html=False,
        )
    except Exception as error:
        # Such as a namespace with a space in it: feedparser was not written for malice.
        raise SourceError(
            "malformed", f"nothing to make sense of: {type(error).__name__}"
        ) from error


def _decoded(body: bytes, content_type: str) -> tuple[str, tuple[str, ...]]:
    """The text, and a note where it is not in the encoding it claims to be in.

    RFC 7303: a byte order mark beats the header, the header beats the declaration.
    """
    found = _DECLARED.match(body[:500])
    declared = found[1].decode() if found else "utf-8"
    said = marked(body) or charset_in(content_type) or declared
    text, used = decode(body, [said, declared])
    if used != codec(said):
        return text, (f"the feed says it is in {said[:40]}, but could only be read as {used}",)
    return text, ()


def _found(entry: Any, *, base: str, atom: bool) -> Found:
    return Found(
        id=clean_text(entry.get("id"), limit=8_000).strip(),
        link=absolute(clean_text(entry.get("link"), limit=2_000).strip(), base),
        title=_words(entry.get("title"), entry.get("title_detail"), limit=500, atom=atom),
        published=_time(entry.get("published_parsed")),
        # Not the entry's own get(): that falls back to "published", with a warning.
        updated=_time(dict.get(entry, "updated_parsed")),
        author=one_line(entry.get("author"), limit=200),
        summary=_summary(entry, atom=atom),
    )


def _summary(entry: Any, *, atom: bool) -> str:
    """The summary, else the beginning of the first content there is."""
    texts = [(entry.get("summary"), entry.get("summary_detail"))]
    texts += [(content.get("value"), content) for content in entry.get("content", ())]
    words = (_words(value, detail, limit=2_000, atom=atom) for value, detail in texts)
    return next(filter(None, words), "")


def _words(value: object, detail: Any, *, limit: int, atom: bool) -> str:
    """Atom says whether a text is markup; in RSS it may always be."""
    if atom and (detail or {}).get("type") == "text/plain":
        return one_line(value, limit=limit)
    return plain_text(value, limit=limit)


def _time(parsed: time.struct_time | None) -> str:
    if parsed is None:
        return ""
    try:
        return datetime(*parsed[:6], tzinfo=UTC).isoformat()
    except (ValueError, OverflowError):
        return ""
