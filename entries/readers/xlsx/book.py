"""The sheets, the calendar and the date styles of a workbook."""

import posixpath
from dataclasses import dataclass, field
from datetime import datetime

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900

from entries.errors import SourceError
from entries.readers.base import Meter
from entries.readers.xlsx.cells import unescape
from entries.readers.xlsx.package import Package, translate_errors
from entries.readers.xlsx.xml_stream import Attributes, find_relation_id, list_tags, scan

_MAX_SHEETS = 10_000
#: Excel knows 65,490.
_MAX_STYLES = 100_000
#: Characters of a number format, in Excel.
_MAX_FORMAT = 255
#: Built-in formats of Excel in Chinese, Japanese and Korean, which files do not spell out.
_EASTERN_DATES = dict.fromkeys((*range(27, 37), *range(50, 59)), "yyyy-mm-dd")
_BOOK = list_tags("workbook", "workbookPr", "workbookView", "sheet")
_STYLES = list_tags("numFmt", "cellXfs", "cellStyles", "cellStyleXfs", "dxfs", "xf")


@dataclass(frozen=True, slots=True)
class DateStyles:
    """Numbers of the styles that show a number as a date or a duration."""

    dates: frozenset[int] = frozenset()
    durations: frozenset[int] = frozenset()


@dataclass(slots=True)
class Book:
    #: Names and parts of the sheets with cells, in order.
    sheets: dict[str, str] = field(default_factory=dict)
    #: The part of the sheet in front; empty where that has no cells.
    front: str = ""
    shared_text: str = ""
    styles: str = ""
    epoch: datetime = CALENDAR_WINDOWS_1900


def read_book(package: Package, *, meter: Meter) -> Book:
    """Read the list of sheets. Raises ``SourceError``."""
    part = _main_part(package)
    found = _BookScan()
    with package.open_small(part) as stream:
        scan(stream, found.start, meter=meter)
    if not found.is_workbook:
        raise SourceError("malformed", "the file is not an Excel workbook")
    folder = posixpath.dirname(part)
    book = Book(epoch=found.epoch)
    targets = {}
    for relation in package.relations(part):
        kind = relation.type.rpartition("/")[2]
        if kind == "worksheet":
            targets[relation.id] = relation.target
        elif kind == "sharedStrings":
            book.shared_text = relation.target
        elif kind == "styles":
            book.styles = relation.target
    # A few programs leave these relations out.
    book.shared_text = book.shared_text or posixpath.join(folder, "sharedStrings.xml")
    book.styles = book.styles or posixpath.join(folder, "styles.xml")
    for position, (name, relation_to) in enumerate(found.sheets):
        if relation_to in targets:
            book.sheets.setdefault(name, targets[relation_to])
            if position == found.front:
                book.front = targets[relation_to]
    return book


def read_styles(package: Package, part: str, *, meter: Meter) -> tuple[DateStyles, str]:
    """Return the styles, and a sentence where they cannot be read.

    Only dates need them, so unreadable styles are not an error.
    """
    if not package.has(part):
        return DateStyles(), ""
    found = _StyleScan()
    why = ""
    try:
        with translate_errors(), package.open_small(part) as stream:
            scan(stream, found.start, meter=meter)
    except SourceError as error:
        if error.code not in {"malformed", "not_allowed"}:
            raise
        why = f"the workbook's styles cannot be read, so dates may come as numbers: {error}"
    return found.result(), why


def _main_part(package: Package) -> str:
    for relation in package.relations(""):
        if relation.type.endswith("/officeDocument"):
            if relation.target.endswith(".bin"):
                raise SourceError("malformed", "the file is an .xlsb; it must be saved as .xlsx")
            return relation.target
    if package.has("xl/workbook.xml"):
        return "xl/workbook.xml"
    raise SourceError("malformed", "the file is not an Excel workbook; it must be saved as .xlsx")


class _BookScan:
    def __init__(self) -> None:
        self.is_workbook = False
        self.sheets: list[tuple[str, str]] = []
        self.front = 0
        self.epoch: datetime = CALENDAR_WINDOWS_1900

    def start(self, name: str, attributes: Attributes) -> None:
        tag = _BOOK.get(name)
        if tag == "workbook":
            self.is_workbook = True
        elif tag == "workbookPr" and attributes.get("date1904") in {"1", "true", "on"}:
            self.epoch = CALENDAR_MAC_1904
        elif tag == "workbookView":
            self.front = _integer(attributes.get("activeTab", "0"))
        elif tag == "sheet":
            if len(self.sheets) == _MAX_SHEETS:
                raise SourceError("too_large", f"the workbook has more than {_MAX_SHEETS:,} sheets")
            self.sheets.append((unescape(attributes.get("name", "")), find_relation_id(attributes)))


class _StyleScan:
    def __init__(self) -> None:
        self._formats: dict[int, str] = {**_EASTERN_DATES, **BUILTIN_FORMATS}
        self._cells: list[int] = []
        self._inside = False

    def start(self, name: str, attributes: Attributes) -> None:
        tag = _STYLES.get(name)
        if tag == "xf":
            if self._inside:
                self._cells.append(_integer(attributes.get("numFmtId", "0")))
        elif tag == "numFmt":
            number = _integer(attributes.get("numFmtId", "0"))
            self._formats[number] = attributes.get("formatCode", "")[:_MAX_FORMAT]
        elif tag:
            self._inside = tag == "cellXfs"
        if len(self._cells) + len(self._formats) > _MAX_STYLES:
            raise SourceError("malformed", f"there are more than {_MAX_STYLES:,} of them")

    def result(self) -> DateStyles:
        formats = {number: self._formats.get(number, "") for number in set(self._cells)}
        durations = {number for number, code in formats.items() if is_timedelta_format(code)}
        dates = {number for number, code in formats.items() if is_date_format(code)} | durations
        return DateStyles(
            frozenset(at for at, number in enumerate(self._cells) if number in dates),
            frozenset(at for at, number in enumerate(self._cells) if number in durations),
        )


def _integer(text: str) -> int:
    """Parse a number; anything else is 0."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
