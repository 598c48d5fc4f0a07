"""The XML of a workbook, piece by piece."""

import os
import tempfile
from array import array
from collections.abc import Iterator
from typing import IO, Self
from xml.etree.ElementTree import Element, iterparse

from openpyxl.xml.constants import SHEET_MAIN_NS

from entries.errors import SourceError

#: Bytes of XML from one piece to the next.
MAX_PIECE = 2_000_000
_TABLE = f"{{{SHEET_MAIN_NS}}}sst"
_STRING = f"{{{SHEET_MAIN_NS}}}si"
_TEXT = f"{{{SHEET_MAIN_NS}}}t"
_RUN = f"{{{SHEET_MAIN_NS}}}r"


def pieces(stream: IO[bytes], *, tag: str, inside: str) -> Iterator[Element]:
    """Each element ``tag`` in the element ``inside``, and then no more; one is held at a time."""
    bounded = _Bounded(stream)
    parent: Element | None = None
    for event, element in iterparse(bounded, events=("start", "end")):  # noqa: S314 - see _Bounded
        if event == "start":
            parent = element if element.tag == inside else parent
        elif element.tag == tag and parent is not None:
            yield element
            parent.clear()
            bounded.next_piece()
        elif element.tag == inside:
            return


class _Bounded:
    """Gives up where a piece has no end. Text cannot grow beyond what was read: no DTD, no
    entities."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._begun = False
        self._tail = b""
        self._since = 0

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(size)
        if not self._begun:
            # A DTD comes before the first element, and only in ASCII's relatives is it seen here.
            if b"\0" in data or b"<!DOCTYPE" in self._tail + data:
                raise SourceError("not_allowed", "the workbook's XML is not as Excel writes it")
            self._tail = data[-8:]
        self._since += len(data)
        if self._since > MAX_PIECE:
            raise SourceError("too_large", f"one row takes more than {MAX_PIECE:,} bytes of XML")
        return data

    def next_piece(self) -> None:
        self._begun, self._since = True, 0


class SharedText:
    """What cells refer to by number. Kept in a temporary file; a context manager."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._ends = array("Q", [0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def fill(self, stream: IO[bytes]) -> None:
        for element in pieces(stream, tag=_STRING, inside=_TABLE):
            size = self._file.write(text_of(element).encode("utf-8", "surrogatepass"))
            self._ends.append(self._ends[-1] + size)
        self._file.flush()

    def __getitem__(self, number: int) -> str:
        if not 0 <= number < len(self._ends) - 1:
            raise IndexError(f"there is no shared text {number:,}")
        start, end = self._ends[number], self._ends[number + 1]
        return os.pread(self._file.fileno(), end - start, start).decode("utf-8", "surrogatepass")


def text_of(element: Element) -> str:
    """Of plain text, or of the runs of formatted text; not how it is pronounced."""
    plain = element.findtext(_TEXT)
    words = (
        plain
        if plain is not None
        else "".join(run.findtext(_TEXT) or "" for run in element.iterfind(_RUN))
    )
    # How Excel writes an underscore that would begin an escape.
    return words.replace("x005F_", "")
