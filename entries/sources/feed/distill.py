"""A feed's XML, reduced to what its items need; pure.

One pass of expat, without recursion and in linear time. The result is well-formed, declares no
entities, and has at most 50 elements for each item and no text longer than its limit.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from urllib.parse import urljoin
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from entries.errors import SourceError
from entries.sources.feed.entities import build_declarations, is_html

MAX_DEPTH = 100
MAX_PARTS = 50
#: A document of <channel> is CDF.
_ROOTS = frozenset({"rss", "rdf", "feed", "channel"})
_ITEMS = frozenset({"item", "entry"})
_BLOCKS = frozenset({"p", "br", "div", "li", "tr", "td", "h1", "h2", "h3", "h4", "h5", "h6"})
#: Characters kept of each element in an item. Names are short because feedparser looks for an
#: e-mail address in them in quadratic time.
_LIMITS = {
    **dict.fromkeys(("id", "guid", "link"), 8_000),
    **dict.fromkeys(("description", "summary", "content", "encoded", "abstract"), 20_000),
    **dict.fromkeys(("author", "creator", "name", "email"), 200),
    **dict.fromkeys(("pubdate", "published", "updated", "modified", "issued", "created"), 100),
    "date": 100,
    "title": 2_000,
}
#: Ids are kept apart as they are written: feedparser would resolve them like addresses.
_IDS = frozenset({"id", "guid"})
_ID = "urn:item:"
_IN_AUTHORS = frozenset({"name", "email"})
_ATTRIBUTES = frozenset(
    {"version", "href", "lastmod", "rel", "type", "mode", "ispermalink", "xml:base", "rdf:about"}
)
_LONGEST_ATTRIBUTE = 8_000
_STANDALONE = re.compile(r"(\A<\?xml[^>]{0,300}?standalone\s*=\s*[\"'])yes([\"'])")
#: The document is parsed in one piece: in several, a long token would be read again with each.
_FINAL = True


class _Mode(Enum):
    OUTER = auto()
    ITEM = auto()
    AUTHOR = auto()
    LEAF = auto()
    #: Inside a leaf, as in XHTML: the words are kept, the tags are not.
    INNER = auto()
    SKIPPED = auto()


_WITH_TAGS = frozenset({_Mode.OUTER, _Mode.ITEM, _Mode.AUTHOR, _Mode.LEAF})
_WITH_TEXT = frozenset({_Mode.AUTHOR, _Mode.LEAF, _Mode.INNER})


@dataclass(frozen=True, slots=True)
class WrittenId:
    """An id as it is written, and resolved against ``xml:base``."""

    text: str
    resolved: str


@dataclass(frozen=True, slots=True)
class DistilledFeed:
    """The document in UTF-8, with ``urn:item:17`` for the id that is ``ids[17]``."""

    data: bytes
    ids: list[WrittenId] = field(default_factory=list)

    def find_id(self, id_or_link: str) -> WrittenId | None:
        """Return the id that a ``urn:item:…`` stands for; None for anything else."""
        number = id_or_link.removeprefix(_ID)
        known = number != id_or_link and number.isdecimal() and int(number) < len(self.ids)
        return self.ids[int(number)] if known else None


def distill(text: str) -> DistilledFeed:
    """Reduce a document. Raises ``SourceError`` where ``text`` is not a feed."""
    # White space before the declaration is invalid, common and harmless.
    distiller = _Distiller(text.lstrip("\ufeff \t\r\n"))
    data = distiller.run()
    try:
        # Only a parser that knows namespaces notices an undeclared prefix.
        expat.ParserCreate("utf-8", namespace_separator=" ").Parse(data, _FINAL)
    except expat.ExpatError as error:
        raise SourceError("malformed", f"broken XML: {expat.ErrorString(error.code)}") from error
    return DistilledFeed(data, distiller.ids)


class _Distiller:
    def __init__(self, text: str) -> None:
        self.ids: list[WrittenId] = []
        # A document may say that it needs no external names and use some.
        self._source = _STANDALONE.sub(r"\1no\2 ", text)
        self._out: list[str] = []
        self._bases = [""]
        self._id: list[str] | None = None
        self._names_are_ours = False
        self._modes: list[_Mode] = []
        self._parts = 0
        self._left = 0

    def run(self) -> bytes:
        self._parser = parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        # Our DTD replaces the document's, and is there where it has none.
        parser.UseForeignDTD(True)  # noqa: FBT003 - its signature
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_ALWAYS)
        parser.ExternalEntityRefHandler = self._document_type
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.EntityDeclHandler = self._declare
        try:
            parser.Parse(self._source.encode("utf-8", "replace"), _FINAL)
        except expat.ExpatError as error:
            where = f"line {error.lineno:,}, column {error.offset + 1:,}"
            reason = f"{where}: {expat.ErrorString(error.code)}"
            if not self._out:
                raise SourceError("not_a_feed", f"neither XML nor JSON ({reason})") from error
            raise SourceError("malformed", f"broken XML in {reason}") from error
        return "".join(self._out).encode()

    def _document_type(self, context: str, *_: object) -> int:
        self._names_are_ours = True
        names = self._parser.ExternalEntityParserCreate(context)
        names.Parse(build_declarations(self._source).encode(), _FINAL)
        self._names_are_ours = False
        return 1

    def _declare(self, name: str, is_parameter: int, value: str | None, *_: object) -> None:
        """Refuse own entities: they can grow without bound, and no feed needs more than HTML's."""
        if not self._names_are_ours and (is_parameter or not is_html(name, value)):
            why = f"the document declares an entity of its own ({name[:50]})"
            raise SourceError("not_allowed", why)

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        local = name.rpartition(":")[2].lower()
        mode = self._mode(local)
        self._modes.append(mode)
        base, based = self._bases[-1], attributes.get("xml:base")
        self._bases.append(_resolve(based, base) if based else base)
        if len(self._modes) > MAX_DEPTH:
            raise SourceError("malformed", f"elements are nested over {MAX_DEPTH} deep")
        if mode is _Mode.ITEM:
            self._parts = 0
        elif mode in {_Mode.LEAF, _Mode.AUTHOR}:
            self._left = _LIMITS[local]
            self._id = [] if local in _IDS else None
        elif mode is _Mode.INNER and local in _BLOCKS:
            self._text(" ")
        if mode in _WITH_TAGS:
            self._out.append(f"<{name}{''.join(_select_attributes(attributes))}>")

    def _mode(self, local: str) -> _Mode:
        mode = _Mode.SKIPPED
        match self._modes[-1] if self._modes else None:
            case None:
                if local not in _ROOTS:
                    raise SourceError("not_a_feed", f"the document is <{local[:50]}>, not a feed")
                mode = _Mode.OUTER
            case _Mode.OUTER if local == "channel":
                mode = _Mode.OUTER
            case _Mode.OUTER if local in _ITEMS:
                mode = _Mode.ITEM
            case _Mode.ITEM if local in _LIMITS and self._parts < MAX_PARTS:
                self._parts += 1
                mode = _Mode.AUTHOR if local == "author" else _Mode.LEAF
            case _Mode.AUTHOR if local in _IN_AUTHORS:
                mode = _Mode.LEAF
            case _Mode.LEAF | _Mode.INNER:
                mode = _Mode.INNER
        return mode

    def _text(self, data: str) -> None:
        if self._left > 0 and self._modes[-1] in _WITH_TEXT:
            into, kept = (self._out, escape) if self._id is None else (self._id, str)
            into.append(kept(data[: self._left]))
            self._left -= len(data)

    def _end(self, name: str) -> None:
        base = self._bases.pop()
        mode = self._modes.pop()
        if mode is _Mode.LEAF and self._id is not None:
            self._keep_id("".join(self._id).strip(), base)
        if mode in _WITH_TAGS:
            self._out.append(f"</{name}>")

    def _keep_id(self, text: str, base: str) -> None:
        self._id = None
        if text:
            self._out.append(f"{_ID}{len(self.ids)}")
            self.ids.append(WrittenId(text, _resolve(text, base)))


def _resolve(address: str, base: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:
        return base


def _select_attributes(attributes: Mapping[str, str]) -> Iterator[str]:
    for name, value in attributes.items():
        if name.startswith("xmlns") or name.lower() in _ATTRIBUTES:
            if len(value) > _LONGEST_ATTRIBUTE:
                raise SourceError("malformed", f"the attribute {name[:50]} is too long")
            # The tags of XHTML were removed, so the rest is text.
            if value != "xhtml":
                yield f" {name}={quoteattr(value)}"
