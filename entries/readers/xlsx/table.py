"""The reader of Excel workbooks."""

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Self

from entries.errors import SourceError
from entries.readers.base import Limits, Row, RowError
from entries.readers.header import HeaderTable
from entries.readers.xlsx.book import Book, read_book, read_styles
from entries.readers.xlsx.package import Package, translate_errors
from entries.readers.xlsx.shared_strings import SharedStrings
from entries.readers.xlsx.sheet import Sheet, SheetContext, SheetRow


class XlsxTable(HeaderTable):
    """Values are text, int, float, bool and None; dates, times and durations are ISO 8601 text.

    A formula counts as the value that was last calculated. ``sheet`` is a name, or empty for the
    first one; with ``front``, the one that was in front when the workbook was saved.
    """

    unit = "row"

    def __init__(
        self,
        file: BinaryIO,
        *,
        limits: Limits,
        expects: str = "",
        rename: Callable[[str], str] = str,
        sheet: str = "",
        front: bool = False,
    ) -> None:
        super().__init__(file, limits=limits, expects=expects, rename=rename)
        self._sheet = sheet
        self._front = front

    def __enter__(self) -> Self:
        self.check_size()
        with translate_errors(), self._open:
            self._rows = self._sheet_rows()
            header = next(self._rows, None)
            if header is None:
                raise SourceError("empty", "the sheet is empty")
            if header.fault:
                where = self.place(header.number)
                raise SourceError("malformed", f"the header in {where} holds {header.fault}")
            width = max(header.cells) + 1
            self.set_columns([header.cells.get(column) for column in range(width)])
            self._open = self._open.pop_all()
        return self

    def __iter__(self) -> Iterator[Row | RowError]:
        names = list(enumerate(self.columns))
        width = len(names)
        with translate_errors():
            for number, cells, count, fault in self._rows:
                self.meter.add(1, max(count, width))
                if fault:
                    yield RowError(number, fault)
                elif max(cells) >= width and _is_beyond(cells, width):
                    yield RowError(number, "more cells than columns")
                else:
                    yield Row(number, {name: cells.get(column) for column, name in names})

    def _sheet_rows(self) -> Iterator[SheetRow]:
        """Yield rows that are not blank."""
        package = Package(self.file, limits=self.limits, meter=self.meter)
        self._open.callback(package.close)
        book = read_book(package, meter=self.meter)
        part = self._part(book)
        styles, why = read_styles(package, book.styles, meter=self.meter)
        if why:
            self.notes.append(why)
        has_texts = package.has(book.shared_text)
        texts = package.open_large(book.shared_text) if has_texts else None
        shared = SharedStrings(texts, meter=self.meter)
        self._open.callback(shared.close)
        stream = self._open.enter_context(package.open_large(part))
        context = SheetContext(shared, styles, book.epoch)
        for row in Sheet(stream, context, limits=self.limits, meter=self.meter):
            if row.fault or any(value != "" for value in row.cells.values()):
                yield row
            else:
                self.meter.add(0, max(row.width, 1))

    def _part(self, book: Book) -> str:
        if self._front and not self._sheet:
            if not book.front:
                raise SourceError("not_found", "the sheet in front has no cells")
            return book.front
        if not book.sheets or (self._sheet and self._sheet not in book.sheets):
            there = ", ".join(book.sheets)[:300] or "none"
            raise SourceError("not_found", f"there is no sheet {self._sheet!r}; there are: {there}")
        return book.sheets[self._sheet or next(iter(book.sheets))]


def _is_beyond(cells: dict[int, Any], width: int) -> bool:
    return any(column >= width and value != "" for column, value in cells.items())
