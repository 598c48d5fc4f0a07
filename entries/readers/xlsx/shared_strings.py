"""The shared strings of a workbook, which cells refer to by number."""

import os
import tempfile
from array import array
from typing import IO

from entries.errors import SourceError
from entries.readers.base import Meter
from entries.readers.xlsx.cells import unescape
from entries.readers.xlsx.xml_stream import Attributes, XmlStream, list_tags

#: Eight bytes of memory each.
_MAX_TEXTS = 20_000_000
_TAGS = list_tags("si", "t", "rPh")


class SharedStrings:
    """Keeps the strings in a temporary file, unpacked up to the highest number requested."""

    def __init__(self, stream: IO[bytes] | None, *, meter: Meter) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._stream = stream
        self._ends = array("Q", [0])
        self._parts: list[str] = []
        self._in_sound = False
        self._xml: XmlStream | None = None
        if stream is not None:
            self._xml = XmlStream(stream, piece="one shared text", meter=meter)
            self._xml.parser.StartElementHandler = self._start
            self._xml.parser.EndElementHandler = self._end

    def close(self) -> None:
        self._file.close()
        if self._stream is not None:
            self._stream.close()

    def size(self, number: int) -> int:
        """Return the size in bytes. Raises ``SourceError`` where there is no such string."""
        while number + 1 >= len(self._ends) and self._more():
            pass
        if not 0 <= number < len(self._ends) - 1:
            raise SourceError(
                "malformed", f"the workbook is damaged: there is no shared text {number:,}"
            )
        return self._ends[number + 1] - self._ends[number]

    def read(self, number: int) -> str:
        size = self.size(number)
        data = os.pread(self._file.fileno(), size, self._ends[number])
        # A lone surrogate is a fault of the row that refers to it.
        return unescape(data.decode())

    def _more(self) -> bool:
        if self._xml is None:
            return False
        if not self._xml.feed():
            self._xml = None
        self._file.flush()
        return True

    def _start(self, name: str, _: Attributes) -> None:
        tag = _TAGS.get(name)
        if tag == "si":
            self._parts.clear()
        elif tag == "rPh":
            self._in_sound = True  # the pronunciation
        elif tag == "t" and not self._in_sound and self._xml is not None:
            self._xml.parser.CharacterDataHandler = self._parts.append

    def _end(self, name: str) -> None:
        tag = _TAGS.get(name)
        if tag is None or self._xml is None:
            return
        self._xml.parser.CharacterDataHandler = None
        if tag == "rPh":
            self._in_sound = False
        elif tag == "si":
            self._xml.end_piece()
            if len(self._ends) > _MAX_TEXTS:
                raise SourceError("too_large", f"the workbook has more than {_MAX_TEXTS:,} texts")
            self._ends.append(self._ends[-1] + self._file.write("".join(self._parts).encode()))
