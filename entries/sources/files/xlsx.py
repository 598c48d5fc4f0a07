"""Excel workbooks."""

from typing import TYPE_CHECKING, BinaryIO, ClassVar

from django.utils.translation import gettext_noop

from entries.readers.base import Limits
from entries.sources.files.columns import TableKind
from entries.sources.files.kind import FileOptions
from entries.sources.registry import register

if TYPE_CHECKING:
    from entries.readers.xlsx.table import XlsxTable


class XlsxOptions(FileOptions):
    sheet: str = ""


@register
class XlsxKind(TableKind):
    """The payload is the row, ``{column: value}``: text, numbers, true and false, null, and dates,
    times and durations in ISO 8601. A formula counts as the value that was last calculated.

    A row with more cells than columns, or without an id, is left out and counted; empty rows are
    ignored.
    """

    name: ClassVar[str] = "xlsx"
    description: ClassVar[str] = gettext_noop(
        "A sheet of an Excel workbook with a header: a path, or an upload."
    )
    options: ClassVar[type[FileOptions]] = XlsxOptions

    def table(self, file: BinaryIO, options: XlsxOptions) -> "XlsxTable":
        # openpyxl takes longer to import than many processes have work to do.
        from entries.readers.xlsx.table import XlsxTable

        return XlsxTable(file, limits=Limits(), expects=options.id_field, sheet=options.sheet)
