"""A feed's XML cut down to what its items say; pure.

One pass of expat, without recursion and in linear time. What comes out is well-formed, declares no
entities, holds at most 50 elements for each item, and no text longer than its limit.
"""

from collections.abc import Iterator, Mapping
from enum import Enum, auto
from typing import NoReturn
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from entries.errors import SourceError

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
_IN_AUTHORS = frozenset({"name", "email"})
_ATTRIBUTES = frozenset(
    {"version", "href", "lastmod", "rel", "type", "mode", "ispermalink", "xml:base", "rdf:about"}
)
_LONGEST_ATTRIBUTE = 8_000
#: The document in one piece: in pieces, a long token would be read again with each.
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


def distill(text: str) -> bytes:
    """The distilled document in UTF-8. Raises ``SourceError`` where ``text`` is no feed."""
    distiller = _Distiller()
    # White space before the declaration is against the rules, common, and harmless.
    data = distiller.run(text.lstrip("\ufeff \t\r\n").encode("utf-8", "replace"))
    try:
        # Only a parser that knows namespaces sees a prefix that nobody declared.
        expat.ParserCreate("utf-8", namespace_separator=" ").Parse(data, _FINAL)
    except expat.ExpatError as error:
        raise SourceError("malformed", f"broken XML: {expat.ErrorString(error.code)}") from error
    return data


class _Distiller:
    def __init__(self) -> None:
        self._out: list[str] = []
        self._modes: list[_Mode] = []
        self._parts = 0
        self._left = 0

    def run(self, data: bytes) -> bytes:
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.EntityDeclHandler = _refuse_entity
        try:
            parser.Parse(data, _FINAL)
        except expat.ExpatError as error:
            where = f"line {error.lineno:,}, column {error.offset + 1:,}"
            reason = f"{where}: {expat.ErrorString(error.code)}"
            if not self._out:
                raise SourceError("not_a_feed", f"neither XML nor JSON ({reason})") from error
            raise SourceError("malformed", f"broken XML in {reason}") from error
        return "".join(self._out).encode()

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        local = name.rpartition(":")[2].lower()
        mode = self._mode(local)
        self._modes.append(mode)
        if len(self._modes) > MAX_DEPTH:
            raise SourceError("malformed", f"elements within elements, over {MAX_DEPTH} deep")
        if mode is _Mode.ITEM:
            self._parts = 0
        elif mode in {_Mode.LEAF, _Mode.AUTHOR}:
            self._left = _LIMITS[local]
        elif mode is _Mode.INNER and local in _BLOCKS:
            self._text(" ")
        if mode in _WITH_TAGS:
            self._out.append(f"<{name}{''.join(_kept(attributes))}>")

    def _mode(self, local: str) -> _Mode:
        mode = _Mode.SKIPPED
        match self._modes[-1] if self._modes else None:
            case None:
                if local not in _ROOTS:
                    raise SourceError("not_a_feed", f"a document of <{local[:50]}>, no feed")
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
            self._out.append(escape(data[: self._left]))
            self._left -= len(data)

    def _end(self, name: str) -> None:
        if self._modes.pop() in _WITH_TAGS:
            self._out.append(f"</{name}>")


def _kept(attributes: Mapping[str, str]) -> Iterator[str]:
    for name, value in attributes.items():
        if name.startswith("xmlns") or name.lower() in _ATTRIBUTES:
            if len(value) > _LONGEST_ATTRIBUTE:
                raise SourceError("malformed", f"the attribute {name[:50]} is too long")
            # The tags of XHTML are gone, so what is left is text.
            if value != "xhtml":
                yield f" {name}={quoteattr(value)}"


def _refuse_entity(name: str, *_: object) -> NoReturn:
    """Entities of entities grow without bound, and no feed needs its own."""
    raise SourceError("not_allowed", f"the document declares an entity of its own ({name[:50]})")
