"""The files of an export, streamed: memory does not grow with the rows."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from tempfile import TemporaryFile
from typing import Any, ClassVar

from retry.imports.cells import cell_text, escape_formula

_ROWS = 200
_PIECE = 256 * 1024

Row = Sequence[Any]


class ExportFile:
    """A file format. ``write`` yields the bytes of a whole file."""

    name: ClassVar[str]
    extension: ClassVar[str]
    content_type: ClassVar[str]

    def write(self, headers: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
        raise NotImplementedError


class CsvFile(ExportFile):
    """Starts with a byte order mark: without it Excel does not read the file as UTF-8."""

    name = "CSV"
    extension = "csv"
    content_type = "text/csv; charset=utf-8"

    def write(self, headers: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
        yield b"\xef\xbb\xbf" + _encode_csv([headers])
        rest = iter(rows)
        while batch := list(islice(rest, _ROWS)):
            yield _encode_csv(batch)


class XlsxFile(ExportFile):
    """Written to a temporary file first, because its table of contents comes last."""

    name = "XLSX"
    extension = "xlsx"
    content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    def write(self, headers: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
        # With openpyxl, which would be a tenth of the time in which a web process starts.
        from retry.admin.exports.workbook import write_sheet

        with TemporaryFile() as file:
            write_sheet(file, headers, rows)
            file.seek(0)
            while piece := file.read(_PIECE):
                yield piece


class JsonFile(ExportFile):
    """A list of objects. Nothing is escaped or cut: spreadsheets do not open it."""

    name = "JSON"
    extension = "json"
    content_type = "application/json"

    def write(self, headers: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
        before = "[\n"
        rest = iter(rows)
        while batch := list(islice(rest, _ROWS)):
            objects = (dict(zip(headers, row, strict=True)) for row in batch)
            lines = (json.dumps(row, ensure_ascii=False, default=_encode) for row in objects)
            yield (before + ",\n".join(lines)).encode()
            before = ",\n"
        yield b"[]\n" if before == "[\n" else b"\n]\n"


FORMATS: dict[str, ExportFile] = {
    file.extension: file for file in (CsvFile(), XlsxFile(), JsonFile())
}


def _encode_csv(rows: Iterable[Row]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([escape_formula(cell_text(value)) for value in row] for row in rows)
    return text.getvalue().encode()


def _encode(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)
