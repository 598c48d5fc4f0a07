"""The XML of a workbook's parts, streamed: no tree is built, and no entity is expanded."""

from collections.abc import Callable, Mapping
from typing import IO
from xml.parsers import expat

from entries.errors import SourceError
from entries.readers.base import Meter

#: Transitional Open XML and strict; a few programs leave the namespace out.
_MAIN = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main ",
    "http://purl.oclc.org/ooxml/spreadsheetml/main ",
    "",
)
_RELATIONS = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships ",
    "http://purl.oclc.org/ooxml/officeDocument/relationships ",
)
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships "
#: Bytes of XML in one piece, such as a row.
MAX_PIECE = 2_000_000
_STEP = 64 * 1024

Attributes = Mapping[str, str]
OnStart = Callable[[str, Attributes], None]


def list_tags(*names: str) -> dict[str, str]:
    """Return the names by what a parser calls their elements."""
    return {f"{space}{name}": name for space in (*_MAIN, _PACKAGE) for name in names}


def find_relation_id(attributes: Attributes) -> str:
    return next((attributes[f"{s}id"] for s in _RELATIONS if f"{s}id" in attributes), "")


class XmlStream:
    """Feeds a parser. Its handlers call ``end_piece`` at the end of each piece."""

    def __init__(self, stream: IO[bytes], *, piece: str, meter: Meter) -> None:
        self._stream = stream
        self._piece = piece
        self._meter = meter
        self._since = 0
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = _refuse

    def end_piece(self) -> None:
        self._since = 0

    def feed(self) -> bool:
        """Parse the next bytes; False at the end."""
        self._meter.check_clock()
        data = self._stream.read(_STEP)
        self._since += len(data)
        if self._since > MAX_PIECE:
            raise SourceError(
                "too_large", f"{self._piece} takes more than {MAX_PIECE:,} bytes of XML"
            )
        self.parser.Parse(data, not data)
        return bool(data)


def scan(stream: IO[bytes], on_start: OnStart, *, meter: Meter) -> None:
    """Call ``on_start`` for each element of a part whose elements are small."""
    xml = XmlStream(stream, piece="an element", meter=meter)

    def start(name: str, attributes: Attributes) -> None:
        xml.end_piece()
        on_start(name, attributes)

    xml.parser.StartElementHandler = start
    while xml.feed():
        pass


def _refuse(*_: object) -> None:
    """Refuse a DTD: entities make small documents large."""
    raise SourceError("not_allowed", "the workbook's XML has a DTD, which Excel does not write")
