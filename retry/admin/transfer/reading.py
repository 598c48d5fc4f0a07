"""The files of an import, as tables: bounded, and refused as a whole where they make no sense."""

import csv
import io
import json
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, NoReturn

import openpyxl
from django.conf import settings
from import_export.formats.base_formats import Format
from tablib import Dataset

from retry.admin.transfer.cells import unescaped

#: What a sheet may unfold to: a zip of a megabyte can hold a gigabyte.
_MAX_UNPACKED = 300_000_000
#: Characters of a cell; Python's own limit is lower than what a payload may have.
_MAX_CELL = 1_000_000
_DELIMITERS = ",;\t|"
#: Columns that mean something, in whatever case they are written.
KNOWN_COLUMNS = ("external_id", "title", "payload")
Row = tuple[int, Sequence[Any]]
# One limit for the whole process.
csv.field_size_limit(max(csv.field_size_limit(), _MAX_CELL))


class ImportRefused(Exception):
    """The file as a whole cannot be imported; the message says why, for people."""


class Table(Dataset):
    """The library's table, which also knows the line of each row in the file."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(headers=list(names))
        self.lines: list[int] = []


class ImportFile(Format):
    """One format, found by the ending of a file's name."""

    title: ClassVar[str]
    extension: ClassVar[str]

    def __init__(self, encoding: str | None = None) -> None:
        """The library offers an encoding; each format knows its own."""

    def get_title(self) -> str:
        return self.title

    def can_import(self) -> bool:
        return True

    def create_dataset(self, in_stream: bytes) -> Table:
        """Raises ``ImportRefused``."""
        return _table(self.rows(in_stream))

    def rows(self, data: bytes) -> Iterator[Row]:
        """The header and then each row, with the number of its line."""
        raise NotImplementedError


class CsvTable(ImportFile):
    title = "CSV"
    extension = "csv"

    def rows(self, data: bytes) -> Iterator[Row]:
        text = _decoded(data)
        reader = csv.reader(io.StringIO(text, ""), delimiter=_delimiter(text), strict=True)
        try:
            for cells in reader:
                yield reader.line_num, [unescaped(cell) for cell in cells]
        except csv.Error as error:
            raise ImportRefused(f"Line {reader.line_num:,}: {error}.") from error


class XlsxTable(ImportFile):
    """The sheet that is in front. Formulas count as what they came to when the file was saved."""

    title = "XLSX"
    extension = "xlsx"

    def rows(self, data: bytes) -> Iterator[Row]:
        try:
            _check_size(data)
            yield from _sheet(data)
        except ImportRefused:
            raise
        except Exception as error:
            # Whatever a damaged or hostile archive makes of the library that reads it.
            raise ImportRefused("This is no XLSX file, or it is damaged.") from error


class JsonTable(ImportFile):
    title = "JSON"
    extension = "json"

    def rows(self, data: bytes) -> Iterator[Row]:
        try:
            found = json.loads(_decoded(data), parse_constant=_no_constant)
        except (RecursionError, ValueError) as error:
            raise ImportRefused(f"It is not JSON: {str(error)[:200]}") from error
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise ImportRefused("It must be a list of objects, such as an export gives.")
        names = list(dict.fromkeys(name for item in found for name in item))
        yield 0, names
        for number, item in enumerate(found, 1):
            yield number, [item.get(name) for name in names]


FORMATS: list[type[ImportFile]] = [CsvTable, XlsxTable, JsonTable]


def _table(rows: Iterator[Row]) -> Table:
    names = _names(next(rows, (0, ()))[1])
    table = Table(names)
    limit = settings.REDRIVE_IMPORT_LIMIT
    for line, cells in rows:
        if all(cell in ("", None) for cell in cells):
            continue
        if len(table.lines) == limit:
            raise ImportRefused(
                f"It has more than {limit:,} rows. Add a source of the kind csv or xlsx and give "
                "it the file: a sync reads files of any length."
            )
        if any(cell not in ("", None) for cell in cells[len(names) :]):
            raise ImportRefused(f"Line {line:,} has more cells than the header has columns.")
        missing = [None] * (len(names) - len(cells))
        table.append([*cells[: len(names)], *missing])
        table.lines.append(line)
    return table


def _names(header: Iterable[Any]) -> list[str]:
    names = ["" if name is None else str(name).strip() for name in header]
    while names and not names[-1]:
        names.pop()
    names = [name.casefold() if name.casefold() in KNOWN_COLUMNS else name for name in names]
    if "external_id" not in names:
        there = ", ".join(names)[:300] or "none"
        raise ImportRefused(f"There is no column external_id. The columns are: {there}.")
    if "" in names:
        raise ImportRefused(f"Column {names.index('') + 1} of the header has no name.")
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise ImportRefused(f"{count} columns are called {name[:100]}.")
    return names


def _decoded(data: bytes) -> str:
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ImportRefused(f"Line {line:,} is not UTF-8. Save the file as UTF-8.") from error


def _delimiter(text: str) -> str:
    """What lets the column external_id be found, else what makes the most columns."""
    header = text.lstrip("\r\n").partition("\n")[0]

    def fitness(delimiter: str) -> tuple[bool, int]:
        names = [name.strip(' "\r').casefold() for name in header.split(delimiter)]
        return "external_id" in names, len(names)

    return max(_DELIMITERS, key=fitness)


def _check_size(data: bytes) -> None:
    """Python unpacks no more of a member than it says it has."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(info.file_size for info in archive.infolist()) > _MAX_UNPACKED:
            raise ImportRefused(f"Unpacked it has more than {_MAX_UNPACKED:,} bytes.")


def _sheet(data: bytes) -> Iterator[Row]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about styles and what else nobody asked for
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book.active
        if sheet is None or not hasattr(sheet, "reset_dimensions"):
            raise ImportRefused("The sheet in front has no cells.")
        sheet.reset_dimensions()  # what the file says of its own size may be wrong
        for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
            yield number, [unescaped(c) if isinstance(c, str) else c for c in cells]


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
