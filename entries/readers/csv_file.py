"""The reader of CSV files, with any delimiter."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import BinaryIO, Self

from entries.errors import SourceError
from entries.net.charset import find_codec, find_mark
from entries.readers.base import Limits, Row, RowError
from entries.readers.header import HeaderTable

_DELIMITERS = ",;\t|"
_HEAD = 64 * 1024
#: Blank rows between two checks of the clock.
_BLANK_ROWS = 4_096
#: Excel's own first line, which names the delimiter.
_SEPARATOR = re.compile(r'"?sep=([^"\r\n])"?(?:\r\n|\r|\n|$)', re.IGNORECASE)
_OTHER_CONTROLS = re.compile(r"[\x01-\x08\x0e-\x1f]")
_WITHOUT_MARK = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}
# One limit for the whole process. Rows are bounded here, and lower.
csv.field_size_limit(max(csv.field_size_limit(), Limits().characters))


class CsvTable(HeaderTable):
    """Values are text; a missing one is empty, and a row of nothing but empty cells is blank.

    A byte order mark beats ``encoding``, which is a label as the web reads it. Unmatched quotation
    marks and undecodable bytes are an error of the file, because the next row cannot be found.
    """

    unit = "line"

    def __init__(
        self,
        file: BinaryIO,
        *,
        limits: Limits,
        expects: str = "",
        rename: Callable[[str], str] = str,
        delimiter: str = "",
        encoding: str = "",
    ) -> None:
        super().__init__(file, limits=limits, expects=expects, rename=rename)
        self._delimiter = delimiter
        self._label = encoding

    def __enter__(self) -> Self:
        self.check_size()
        start = self.file.read(_HEAD)
        self.file.seek(0)
        encoding = self._choose_encoding(start)
        head = start.decode(encoding, "replace").lstrip("\ufeff")
        if _is_binary(head):
            raise SourceError("malformed", f"the file is binary, or not in {encoding}")
        text = io.TextIOWrapper(self.file, encoding, newline="")
        self._open.callback(text.detach)
        self._lines = _Lines(text, encoding=encoding, limit=self.limits.characters)
        if separator := _SEPARATOR.match(head):
            next(self._lines)
            self._lines.row_size, self._lines.row_start = 0, 2
            head = head[separator.end() :]
        self._delimiter = self._delimiter or (
            separator[1] if separator else self._detect_delimiter(head)
        )
        self._records = self._read()
        _, header = next(self._records, (0, []))
        self.meter.rows = 0
        self.set_columns(header)
        return self

    def __iter__(self) -> Iterator[Row | RowError]:
        names = self.columns
        width = len(names)
        lines = self._lines
        for line, cells in self._records:
            if lines.has_nul:
                lines.has_nul = False
                yield RowError(line, "a NUL character")
            elif len(cells) == width:
                yield Row(line, dict(zip(names, cells, strict=True)))
            elif any(cells[width:]):
                yield RowError(line, "more cells than columns")
            else:
                yield Row(line, dict(zip_longest(names, cells[:width], fillvalue="")))

    def count(self) -> int:
        return sum(1 for _ in self._records)

    def _read(self) -> Iterator[tuple[int, list[str]]]:
        """Yield rows that are not blank, the header first, each with the line it ends in."""
        lines = self._lines
        meter = self.meter
        rows = unseen = blank = 0
        try:
            for cells in csv.reader(lines, delimiter=self._delimiter, strict=True):
                number = lines.number
                lines.row_size = 0
                if any(cells):
                    rows += 1
                    if rows > unseen:
                        unseen = meter.add(rows, rows * len(self.columns))
                        rows = 0
                    yield number, cells
                else:
                    blank += 1
                    if not blank % _BLANK_ROWS:
                        meter.add(0, _BLANK_ROWS)
                lines.row_start = number + 1
        except csv.Error as error:
            raise SourceError(
                "malformed",
                f"line {lines.number:,}: {error}; a quotation mark is missing or not doubled in "
                f"the row that begins in line {lines.row_start:,}",
            ) from error

    def _choose_encoding(self, start: bytes) -> str:
        if mark := find_mark(start):
            return mark
        encoding = find_codec(self._label) if self._label else "utf-8"
        if not encoding:
            raise SourceError("malformed", f"there is no encoding {self._label[:40]!r}")
        return _WITHOUT_MARK.get(encoding, encoding)

    def _detect_delimiter(self, head: str) -> str:
        """Return the delimiter that yields the expected column, else the most columns."""

        def fitness(delimiter: str) -> tuple[bool, int]:
            try:
                rows = csv.reader(io.StringIO(head, ""), delimiter=delimiter)
                names = next(filter(any, rows), [])
            except csv.Error:
                return False, 0
            return self.expects in {self.rename(name.strip()) for name in names}, len(names)

        return max(_DELIMITERS, key=fitness)


class _Lines:
    """The lines of a text for ``csv.reader``; bounded for each row.

    ``row_size`` counts the characters since the last row; the caller resets it.
    """

    def __init__(self, text: io.TextIOWrapper, *, encoding: str, limit: int) -> None:
        self._text = text
        self._encoding = encoding
        self._limit = limit
        self.number = 0
        self.row_start = 1
        self.row_size = 0
        self.has_nul = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._read()
        if not line:
            raise StopIteration
        if not self.number:
            line = line.lstrip("\ufeff")
        self.number += 1
        self.row_size += len(line)
        if self.row_size > self._limit:
            raise self._too_long()
        if "\0" in line:
            self.has_nul = True
        return line

    def _read(self) -> str:
        try:
            return self._text.readline(self._limit + 1)
        except UnicodeError as error:
            where = f"line {self.number + _lines_before(error) + 1:,}"
            raise SourceError(
                "malformed",
                f"{where} is not in {self._encoding}; set the option encoding",
            ) from error

    def _too_long(self) -> SourceError:
        begins = f"begins in line {self.row_start:,} and " if self.row_start < self.number else ""
        return SourceError(
            "malformed",
            f"the row that {begins}reaches line {self.number:,} is longer than "
            f"{self._limit:,} characters; a quotation mark may be missing",
        )


def _lines_before(error: UnicodeError) -> int:
    """Return how many lines were decoded in the same step before the error."""
    if not isinstance(error, UnicodeDecodeError):
        return 0  # UTF-16 without its mark
    return error.object[: error.start].count(b"\n")


def _is_binary(head: str) -> bool:
    """Say whether NULs in the header, or other control characters, make it a binary file.

    A NUL in a row is a fault of that row only.
    """
    if "\0" not in head:
        return False
    return bool(_OTHER_CONTROLS.search(head)) or "\0" in head.lstrip("\r\n").partition("\n")[0]
