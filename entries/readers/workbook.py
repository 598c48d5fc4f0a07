"""Excel workbooks."""

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Self

from entries.errors import SourceError
from entries.readers.base import Limits, Row, RowError, Table
from entries.readers.book import Book, read_book, read_styles
from entries.readers.header import column_names
from entries.readers.package import Package, translated
from entries.readers.shared_text import SharedText
from entries.readers.sheet import Meaning, Sheet, SheetRow


class XlsxTable(Table):
    """Values are text, int, float, bool and None; dates, times and durations are ISO 8601 text.

    Of a formula it is the value that was last worked out. ``sheet`` is a name, or empty for the
    first one; ``front`` asks for the one that was in front when the workbook was saved.
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
        super().__init__(file, limits=limits)
        self._expects = expects
        self._rename = rename
        self._sheet = sheet
        self._front = front

    def __enter__(self) -> Self:
        self.check_size()
        with translated(), self._open:
            self._rows = self._sheet_rows()
            header = next(self._rows, None)
            if header is None:
                raise SourceError("empty", "the sheet is empty")
            if header.fault:
                where = self.place(header.number)
                raise SourceError("malformed", f"the header in {where} holds {header.fault}")
            width = max(header.cells) + 1
            self.columns = column_names(
                [header.cells.get(column) for column in range(width)],
                expects=self._expects,
                rename=self._rename,
                limit=self.limits.columns,
            )
            self._open = self._open.pop_all()
        return self

    def __iter__(self) -> Iterator[Row | RowError]:
        names = list(enumerate(self.columns))
        width = len(names)
        with translated():
            for number, cells, count, fault in self._rows:
                self.meter.add(1, max(count, width))
                if fault:
                    yield RowError(number, fault)
                elif max(cells) >= width and _is_beyond(cells, width):
                    yield RowError(number, "more cells than columns")
                else:
                    yield Row(number, {name: cells.get(column) for column, name in names})

    def _sheet_rows(self) -> Iterator[SheetRow]:
        """Rows that are not blank."""
        package = Package(self.file, limits=self.limits, meter=self.meter)
        self._open.callback(package.close)
        book = read_book(package, meter=self.meter)
        part = self._part(book)
        styles, why = read_styles(package, book.styles, meter=self.meter)
        if why:
            self.notes.append(why)
        has_texts = package.has(book.shared_text)
        texts = package.open_large(book.shared_text) if has_texts else None
        shared = SharedText(texts, meter=self.meter)
        self._open.callback(shared.close)
        stream = self._open.enter_context(package.open_large(part))
        meaning = Meaning(shared, styles, book.epoch)
        for row in Sheet(stream, meaning, limits=self.limits, meter=self.meter):
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
