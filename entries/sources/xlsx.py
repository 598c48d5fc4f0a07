"""Excel workbooks."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar

from django.utils.duration import duration_iso_string

from entries.errors import SourceError
from entries.sources.base import Invalid, SourceItem, SourceSpec
from entries.sources.columns import Columns
from entries.sources.files import FileKind, FileOptions, opened
from entries.sources.registry import register
from entries.sources.xlsx_workbook import Workbook


class XlsxOptions(FileOptions):
    sheet: str = ""


@register
class XlsxKind(FileKind):
    """The payload is the row, ``{column: value}``: text, numbers, true and false, null, and dates,
    times and durations in ISO 8601. Of a formula it is the value that was last worked out.

    A row with more cells than columns, or without an id, is left out and counted; an empty row is
    nothing.
    """

    name: ClassVar[str] = "xlsx"
    description: ClassVar[str] = "A sheet of an Excel workbook with a header: a path, or an upload."
    options: ClassVar[type[FileOptions]] = XlsxOptions

    def items(self, spec: SourceSpec) -> Iterator[SourceItem | Invalid]:
        options = XlsxOptions.of(spec.options)
        with opened(spec.location) as file, Workbook(file) as workbook:
            rows = _filled(workbook.rows(options.sheet))
            _, header = next(rows, (0, []))
            if not header:
                raise SourceError("empty", "the sheet is empty")
            columns = Columns.of(header, options)
            for number, cells in rows:
                missing = len(columns.names) - len(cells)
                yield columns.item([*cells, *[None] * missing], f"row {number:,}")


def _filled(rows: Iterator[tuple[int, list[Any]]]) -> Iterator[tuple[int, list[Any]]]:
    for number, cells in rows:
        values = list(map(_json, cells))
        if any(value not in (None, "") for value in values):
            yield number, values


def _json(value: Any) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return duration_iso_string(value) if isinstance(value, timedelta) else value
