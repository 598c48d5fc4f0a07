"""Streaming the rows of a workbook from anywhere, within bounds.

openpyxl says what a workbook and its cells mean. Its own way of reading keeps something of every
row and all of the workbook's text in memory, so the streaming is done here.
"""

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, BinaryIO, Self
from xml.etree.ElementTree import Element, SubElement
from zipfile import BadZipFile, ZipFile

from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.worksheet._reader import WorkSheetParser
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS

from entries.errors import EntriesError, SourceError
from entries.sources.files import size_of
from entries.sources.xlsx_xml import SharedText, pieces, text_of
from entries.text import one_line

#: Excel's own.
MAX_ROWS = 1_048_576
MAX_COLUMNS = 16_384
#: Bytes of what is read as a whole: styles, the list of sheets, the archive's own.
MAX_PART = 10_000_000
#: Bytes of what is streamed: a sheet, the shared text.
MAX_STREAMED = 2_000_000_000
_ROW = f"{{{SHEET_MAIN_NS}}}row"
_INLINE = f"{{{SHEET_MAIN_NS}}}is"
_VALUE = f"{{{SHEET_MAIN_NS}}}v"
_DATA = f"{{{SHEET_MAIN_NS}}}sheetData"


class Workbook:
    """A context manager. Everything here raises ``SourceError`` and nothing else."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with translated(), ExitStack() as stack, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what openpyxl says of styles
            _check_directory(self._file)
            self._archive = stack.enter_context(_Archive(self._file))
            self._reader = _Reader(self._archive)
            self._reader.read_manifest()
            self._reader.read_workbook()
            apply_stylesheet(self._archive, self._reader.wb)
            self._sheets = {
                sheet.name: relationship.target
                for sheet, relationship in self._reader.parser.find_sheets()
                if relationship.Type.endswith("/worksheet")
            }
            self._open = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def rows(self, sheet: str) -> Iterator[tuple[int, list[Any]]]:
        """Rows with their numbers, of the sheet called so, or of the first one for ``""``."""
        if not self._sheets or (sheet and sheet not in self._sheets):
            there = ", ".join(self._sheets)[:300] or "none"
            raise SourceError("not_found", f"there is no sheet {sheet!r}; there are: {there}")
        target = self._sheets[sheet or next(iter(self._sheets))]
        last = 0
        with translated(), self._shared() as shared, self._archive.streamed(target) as stream:
            parser = self._parser(shared)
            for element in pieces(stream, tag=_ROW, inside=_DATA):
                number, cells = parser.parse_row(element)
                parser.row_dimensions.clear()
                if not last < number <= MAX_ROWS:
                    raise SourceError("malformed", f"row {number:,} after row {last:,}")
                last = number
                yield number, _values(cells)

    def _parser(self, shared: SharedText) -> "_Parser":
        book = self._reader.wb
        return _Parser(
            None,
            shared,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,  # noqa: SLF001 - as its own reader does
            timedelta_formats=book._timedelta_formats,  # noqa: SLF001
        )

    @contextmanager
    def _shared(self) -> Iterator[SharedText]:
        with SharedText() as shared:
            part = self._reader.package.find(SHARED_STRINGS)
            if part is not None:
                with self._archive.streamed(part.PartName[1:]) as stream:
                    shared.fill(stream)
            yield shared


class _Archive(ZipFile):
    """Unpacks no more than the bounds, whatever else is in it."""

    def read(self, name: Any, pwd: bytes | None = None) -> bytes:
        self._check(name, MAX_PART)
        return super().read(name, pwd)

    def streamed(self, name: str) -> Any:
        self._check(name, MAX_STREAMED)
        return self.open(name)

    def _check(self, name: str, limit: int) -> None:
        # zipfile reads no further than the size it was told.
        size = self.getinfo(name).file_size
        if size > limit:
            raise SourceError(
                "too_large", f"{name[:100]} unpacks to {size:,} bytes, more than {limit:,}"
            )


class _Reader(ExcelReader):  # type: ignore[misc]  # openpyxl is untyped
    """The steps of openpyxl's reader that are needed, on an archive that is open already."""

    def __init__(self, archive: ZipFile) -> None:
        self.archive = archive
        self.valid_files = archive.namelist()
        self.read_only = self.data_only = True
        self.keep_vba = self.keep_links = self.rich_text = False


class _Parser(WorkSheetParser):  # type: ignore[misc]  # openpyxl is untyped
    """openpyxl's, which takes ten times as long over text that stands in the cell itself."""

    def parse_cell(self, element: Element) -> dict[str, Any]:
        if element.get("t") == "inlineStr":
            inline = element.find(_INLINE)
            element.set("t", "str")
            SubElement(element, _VALUE).text = "" if inline is None else text_of(inline)
        cell: dict[str, Any] = super().parse_cell(element)
        return cell


@contextmanager
def translated() -> Iterator[None]:
    """The libraries' errors into ours: what they raise on a damaged file is anything at all."""
    try:
        yield
    except EntriesError:
        raise
    except BadZipFile as error:
        raise SourceError(
            "malformed", "the file is no Excel workbook; an older .xls must be saved as .xlsx"
        ) from error
    except Exception as error:
        why = f"{type(error).__name__}: {one_line(error, limit=200)}"
        raise SourceError("malformed", f"the workbook is damaged ({why})") from error


def _values(cells: list[dict[str, Any]]) -> list[Any]:
    """Of a row's cells from the first column on; what is not there is None."""
    values: list[Any] = []
    for cell in cells:
        column = cell["column"]
        if not 0 < column <= MAX_COLUMNS:
            raise SourceError("malformed", f"there is no column {column:,} in Excel")
        values += [None] * (column - len(values))
        values[column - 1] = cell["value"]
    return values


def _check_directory(file: BinaryIO) -> None:
    """An archive of millions of empty parts would fill the memory while it is opened."""
    file.seek(max(0, size_of(file) - 65_557))
    tail = file.read()
    end = tail.rfind(b"PK\5\6")
    size = int.from_bytes(tail[end + 12 : end + 16], "little") if end >= 0 else 0
    # The larger format is for archives beyond the bounds anyhow.
    if size > MAX_PART or (end >= 20 and tail[end - 20 : end].startswith(b"PK\6\7")):
        raise SourceError("too_large", "the workbook has more parts than a workbook needs")
    file.seek(0)
