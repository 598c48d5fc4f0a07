"""The file of an import as rows, read by the readers of sources."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from entries.errors import SourceError
from entries.phrases import phrase
from entries.readers.base import Limits, Row, Table
from entries.readers.csv_file import CsvTable
from entries.readers.objects import JsonTable
from entries.sources.files.locations import READ_AHEAD, measure_size, open_file

#: Columns with a meaning, in any case.
KNOWN_COLUMNS = ("external_id", "title", "payload")
#: Names of ignored columns that a page shows.
_MOST_NAMES = 50
#: Far more than people have, and readable within a worker's time limit.
LIMITS = Limits(bytes=2_000_000_000, rows=20_000_000, cells=200_000_000)


def fold(name: str) -> str:
    """Return a known column's name in lower case; others stay as they are."""
    folded = name.casefold()
    return folded if folded in KNOWN_COLUMNS else name


def _csv(file: BinaryIO) -> Table:
    return CsvTable(file, limits=LIMITS, expects="external_id", rename=fold)


def _xlsx(file: BinaryIO) -> Table:
    # As for sources: openpyxl is imported where there is a workbook.
    from entries.readers.xlsx.table import XlsxTable

    return XlsxTable(file, limits=LIMITS, expects="external_id", rename=fold, front=True)


def _json(file: BinaryIO) -> Table:
    return JsonTable(file, limits=LIMITS)


#: By the ending of a file's name.
FORMATS: dict[str, Callable[[BinaryIO], Table]] = {"csv": _csv, "xlsx": _xlsx, "json": _json}


@contextmanager
def open_table(location: str, file_format: str) -> Iterator[Table]:
    """Open a file and check its header. Raises ``SourceError``."""
    with open_file(location) as file:
        if not file.read(1):
            raise SourceError("empty", phrase("the file is empty"))
        file.seek(0)
        with FORMATS[file_format](file) as table:
            yield table


class Survey:
    """Facts about a file before its rows are compared.

    ``total`` is None where counting would take as long as comparing. ``ignored``: other columns of
    a file that has a column payload.
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
    with open_file(location) as file:
        return measure_size(file) <= READ_AHEAD


def _forget_all_but_some(names: dict[str, None]) -> None:
    """Bound the names: a hostile file has another one in each row."""
    if len(names) > 1_000:
        for name in list(names)[500:]:
            if name not in KNOWN_COLUMNS:
                del names[name]
