"""CSV files, with whatever stands between the cells."""

import csv
import io
from collections.abc import Iterator
from typing import BinaryIO, ClassVar

from entries.errors import SourceError
from entries.net.charset import codec, marked
from entries.sources.base import Invalid, SourceItem, SourceSpec
from entries.sources.columns import Columns
from entries.sources.files import READ_AHEAD, FileKind, FileOptions, opened, size_of
from entries.sources.registry import register

#: Characters of one row. A quotation mark that is never closed would make one row of the rest.
MAX_ROW = 1_000_000
_DELIMITERS = ",;\t|"
_HEAD = 64 * 1024
# One limit for the whole process, and lower than what a cell may hold.
csv.field_size_limit(max(csv.field_size_limit(), MAX_ROW))


class CsvOptions(FileOptions):
    delimiter: str = ""
    encoding: str = ""

    def problems(self) -> list[str]:
        found = []
        if self.delimiter and (len(self.delimiter) != 1 or self.delimiter in '"\r\n\0'):
            found.append("option delimiter: one character, such as ; or a tab")
        if self.encoding and not codec(self.encoding):
            found.append(f"option encoding: there is no encoding {self.encoding[:40]!r}")
        return found


@register
class CsvKind(FileKind):
    """The payload is the row, ``{column: text}``, as the header names the columns.

    A row with more or fewer cells than columns, or without an id, is left out and counted. Where
    quotation marks or bytes make no sense, nobody can tell where the next row begins: an error.
    """

    name: ClassVar[str] = "csv"
    description: ClassVar[str] = "A CSV file with a header: a path, or an upload."
    options: ClassVar[type[FileOptions]] = CsvOptions

    def items(self, spec: SourceSpec) -> Iterator[SourceItem | Invalid]:
        options = CsvOptions.of(spec.options)
        with opened(spec.location) as file:
            rows = _rows(file, options)
            _, header = next(rows, (0, []))
            columns = Columns.of(header, options)
            for line, cells in rows:
                yield columns.item(cells, f"line {line:,}")

    def count(self, spec: SourceSpec) -> int | None:
        with opened(spec.location) as file:
            if size_of(file) > READ_AHEAD:
                return None
            return max(sum(1 for _ in _rows(file, CsvOptions.of(spec.options))) - 1, 0)


def _rows(file: BinaryIO, options: CsvOptions) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, the header first, each with the line it ends in."""
    encoding = options.encoding or marked(file.read(4)) or "utf-8"
    file.seek(0)
    lines = _Lines(io.TextIOWrapper(file, encoding, newline=""), encoding)
    head = lines.head()
    delimiter = options.delimiter or _delimiter(head, options.id_field)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            lines.row_size = 0
            if cells:
                yield reader.line_num, cells
    except csv.Error as error:
        raise SourceError(
            "malformed",
            f"line {lines.number:,}: {error}; a quotation mark is missing or not doubled",
        ) from error


class _Lines:
    """The lines of a text, as ``csv.reader`` wants them; bounded for each row.

    ``row_size`` counts the characters since the last row and is set back by the caller.
    """

    def __init__(self, text: io.TextIOWrapper, encoding: str) -> None:
        self._text = text
        self._encoding = encoding
        self.number = 0
        self.row_size = 0

    def head(self) -> str:
        """The beginning of the text, which comes again as the first lines."""
        head = self._read(_HEAD)
        if "\0" in head:
            raise SourceError("malformed", f"the file is binary, or not in {self._encoding}")
        self._text.seek(0)
        return head

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._read(MAX_ROW + 1, line=True)
        if not line:
            raise StopIteration
        self.number += 1
        self.row_size += len(line)
        if self.row_size > MAX_ROW:
            raise SourceError(
                "malformed",
                f"the row that reaches line {self.number:,} is longer than {MAX_ROW:,} characters; "
                "a quotation mark may be missing",
            )
        return line

    def _read(self, size: int, *, line: bool = False) -> str:
        try:
            return self._text.readline(size) if line else self._text.read(size)
        except UnicodeError as error:
            where = f"line {self.number + _lines_before(error) + 1:,}"
            raise SourceError(
                "malformed",
                f"{where} is not in {self._encoding}; the option encoding says which it is",
            ) from error


def _lines_before(error: UnicodeError) -> int:
    """Lines that were decoded in one go with what could not be decoded."""
    if not isinstance(error, UnicodeDecodeError):
        return 0  # a UTF-16 without its mark
    return error.object[: error.start].count(b"\n")


def _delimiter(head: str, id_field: str) -> str:
    """What stands between the names of the header: what lets the id's column be found, else what
    makes the most columns."""

    def fitness(delimiter: str) -> tuple[bool, int]:
        try:
            names = next(filter(None, csv.reader(io.StringIO(head, ""), delimiter=delimiter)), [])
        except csv.Error:
            return False, 0
        return id_field in {name.strip() for name in names}, len(names)

    return max(_DELIMITERS, key=fitness)
