"""The sheet of an export, written with openpyxl row by row."""

from collections.abc import Iterable, Sequence
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from entries.readers.xlsx.cells import escape
from retry.imports.cells import cell_text, escape_formula

#: Characters in a cell of XLSX; openpyxl would cut the rest silently.
MAX_CELL = 32_767
_CUT = " … cut: a cell holds no more"


def write_sheet(file: IO[bytes], headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("entries")
    sheet.append(list(headers))
    for row in rows:
        sheet.append([_clip_cell(value) for value in row])
    book.save(file)


def _clip_cell(value: Any) -> int | float | str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text: str = ILLEGAL_CHARACTERS_RE.sub("\ufffd", escape_formula(cell_text(value)))
    text = escape(text)
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - len(_CUT)] + _CUT
