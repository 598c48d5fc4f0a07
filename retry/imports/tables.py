"""The file of an import as rows, by the readers that sources have as well."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from entries.errors import SourceError
from entries.readers.base import Limits, Row, Table
from entries.readers.csv_file import CsvTable
from entries.readers.objects import JsonTable
from entries.readers.workbook import XlsxTable
from entries.sources.files.base import READ_AHEAD, opened, size_of

#: Columns that mean something, in whatever case they are written.
KNOWN_COLUMNS = ("external_id", "title", "payload")
#: Names that a page shows of those that were not looked at.
_MOST_NAMES = 50
#: Far beyond what people have, and little enough to be read within a worker's time.
LIMITS = Limits(bytes=2_000_000_000, rows=20_000_000, cells=200_000_000)


def fold(name: str) -> str:
    """A column's name as it is known here."""
    folded = name.casefold()
    return folded if folded in KNOWN_COLUMNS else name


def _csv(file: BinaryIO) -> Table:
    return CsvTable(file, limits=LIMITS, expects="external_id", rename=fold)


def _xlsx(file: BinaryIO) -> Table:
    return XlsxTable(file, limits=LIMITS, expects="external_id", rename=fold, front=True)


def _json(file: BinaryIO) -> Table:
    return JsonTable(file, limits=LIMITS)


#: By the ending of a file's name.
FORMATS: dict[str, Callable[[BinaryIO], Table]] = {"csv": _csv, "xlsx": _xlsx, "json": _json}


@contextmanager
def open_table(location: str, file_format: str) -> Iterator[Table]:
    """The formats that have a header are checked on entering. Raises ``SourceError``."""
    with opened(location) as file:
        if not file.read(1):
            raise SourceError("empty", "the file is empty")
        file.seek(0)
        with FORMATS[file_format](file) as table:
            yield table


class Survey:
    """What is known of a file before its rows are compared.

    ``total`` is None where counting takes as long as comparing. ``ignored``: columns that mean
    nothing, because there is a column payload.
    """

    def __init__(self, location: str, file_format: str) -> None:
        self.total: int | None = None
        names: dict[str, None] = {}
        with open_table(location, file_format) as table:
            names |= dict.fromkeys(table.columns)
            if not names or (file_format == "csv" and _is_short(location)):
                self.total = 0
                for row in table:
                    self.total += 1
                    if isinstance(row, Row) and not table.columns:
                        names |= dict.fromkeys(map(fold, row.values))
                        _forget_all_but_some(names)
        self.has_payload = "payload" in names
        ignored = [name for name in names if name not in KNOWN_COLUMNS] if self.has_payload else []
        self.ignored = ignored[:_MOST_NAMES]


def _is_short(location: str) -> bool:
    with opened(location) as file:
        return size_of(file) <= READ_AHEAD


def _forget_all_but_some(names: dict[str, None]) -> None:
    """A hostile file has another name in each row."""
    if len(names) > 1_000:
        for name in list(names)[500:]:
            if name not in KNOWN_COLUMNS:
                del names[name]
