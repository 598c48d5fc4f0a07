"""The rows of a sheet, streamed from its XML."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, NamedTuple

from entries.errors import SourceError
from entries.readers.base import Limits, Meter
from entries.readers.json_text import RowFault
from entries.readers.xlsx.book import DateStyles
from entries.readers.xlsx.cells import format_moment, parse_iso_moment, parse_number, unescape
from entries.readers.xlsx.shared_strings import SharedStrings
from entries.readers.xlsx.xml_stream import Attributes, XmlStream, list_tags

#: Excel's own.
MAX_ROWS = 1_048_576
MAX_COLUMNS = 16_384
_TAGS = list_tags("sheetData", "row", "c", "v", "is", "t", "rPh")


class SheetRow(NamedTuple):
    number: int
    #: Values by their column, counted from 0.
    cells: dict[int, Any]
    #: How many cells the file has, empty ones included.
    width: int
    #: Why the row cannot be read; empty where it can.
    fault: str


@dataclass(frozen=True, slots=True)
class SheetContext:
    """Parts of the workbook that give cells their meaning."""

    shared: SharedStrings
    styles: DateStyles
    epoch: datetime


class Sheet:
    """Iterates over the rows. Raises ``SourceError``."""

    def __init__(
        self, stream: IO[bytes], context: SheetContext, *, limits: Limits, meter: Meter
    ) -> None:
        self._context = context
        self._limit = limits.characters
        self._xml = XmlStream(stream, piece="one row", meter=meter)
        self._parser = self._xml.parser
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._columns: dict[str, int] = {}
        self._ready: list[SheetRow] = []
        self._inside = self._ended = self._in_sound = False
        self._number = 0
        self._begin_row()

    def __iter__(self) -> Iterator[SheetRow]:
        while not self._ended and self._xml.feed():
            yield from self._ready
            self._ready.clear()
        yield from self._ready

    def _begin_row(self) -> None:
        self._cells: dict[int, Any] = {}
        self._count = self._size = 0
        self._column = -1
        self._fault = ""
        self._type = self._style = ""
        self._text: list[str] = []

    def _start(self, name: str, attributes: Attributes) -> None:
        tag = _TAGS.get(name)
        if tag is None or self._ended:
            return
        if tag == "c":
            self._count += 1
            reference = attributes.get("r")
            self._column = self._parse_column(reference) if reference else self._column + 1
            if self._column >= MAX_COLUMNS and reference:
                raise _build_error(f"there is no column {self._column + 1:,} in Excel")
            if self._count > MAX_COLUMNS:
                raise SourceError("too_large", f"a row has more than {MAX_COLUMNS:,} cells")
            self._type = attributes.get("t", "n")
            self._style = attributes.get("s", "")
        elif tag == "v" or (tag == "t" and not self._in_sound):
            self._parser.CharacterDataHandler = self._take
        elif tag == "row" and self._inside:
            self._begin_row()
            self._number = self._row_number(attributes.get("r"))
        elif tag == "rPh":
            self._in_sound = True  # the pronunciation
        elif tag == "sheetData":
            self._inside = True

    def _end(self, name: str) -> None:
        tag = _TAGS.get(name)
        if tag is None or self._ended:
            return
        if tag in ("v", "t"):
            self._parser.CharacterDataHandler = None
        elif tag == "c":
            if self._text:
                self._end_cell("".join(self._text))
                self._text.clear()
            elif self._type == "inlineStr":
                self._cells[self._column] = ""
        elif tag == "row" and self._inside:
            self._xml.end_piece()
            self._ready.append(SheetRow(self._number, self._cells, self._count, self._fault))
        elif tag == "rPh":
            self._in_sound = False
        elif tag == "sheetData":
            self._ended = True

    def _take(self, text: str) -> None:
        self._size += len(text)
        if self._size <= self._limit:
            self._text.append(text)
        else:
            self._text.clear()
            self._fault = f"longer than {self._limit:,} characters"

    def _end_cell(self, text: str) -> None:
        try:
            value = self._value(text)
        except RowFault as fault:
            self._fault = self._fault or str(fault)
        else:
            self._cells[self._column] = value

    def _value(self, text: str) -> Any:
        kind = self._type
        if kind == "s":
            return self._read_shared(text)
        if kind in ("inlineStr", "str", "e"):
            return unescape(text)
        if kind == "b":
            return text.strip() in ("1", "true")
        context = self._context
        style = int(self._style) if self._style.isdecimal() and len(self._style) < 10 else 0
        duration = style in context.styles.durations
        if kind == "d":
            return parse_iso_moment(text, epoch=context.epoch, duration=duration)
        number = parse_number(text)
        if style in context.styles.dates:
            return format_moment(number, epoch=context.epoch, duration=duration)
        return number

    def _read_shared(self, text: str) -> str:
        number = parse_number(text)
        if not isinstance(number, int):
            raise RowFault("an invalid number")
        # Many cells may refer to one long string.
        self._size += self._context.shared.size(number)
        if self._size > self._limit:
            raise RowFault(f"longer than {self._limit:,} characters")
        return self._context.shared.read(number)

    def _parse_column(self, reference: str) -> int:
        letters = reference.rstrip("0123456789")
        found = self._columns.get(letters)
        if found is None:
            if not (letters.isascii() and letters.isalpha() and len(letters) <= 3):
                raise _build_error(f"there is no cell {reference[:20]!r}")
            found = 0
            for letter in letters.upper():
                found = found * 26 + ord(letter) - ord("A") + 1
            found -= 1
            self._columns[letters] = found
        return found

    def _row_number(self, said: str | None) -> int:
        if said is None:
            number = self._number + 1
        elif said.isascii() and said.isdigit() and len(said) < 20:
            number = int(said)
        else:
            raise _build_error(f"there is no row {said[:20]!r}")
        if not self._number < number <= MAX_ROWS:
            raise _build_error(f"row {number:,} after row {self._number:,}")
        return number


def _build_error(why: str) -> SourceError:
    return SourceError("malformed", f"the workbook is damaged: {why}")
