"""CSV files with any delimiter."""

from typing import BinaryIO, ClassVar

from django.utils.translation import gettext_noop

from entries.net.charset import find_codec
from entries.readers.base import Limits
from entries.readers.csv_file import CsvTable
from entries.sources.files.columns import TableKind
from entries.sources.files.kind import FileOptions
from entries.sources.registry import register


class CsvOptions(FileOptions):
    delimiter: str = ""
    encoding: str = ""

    def problems(self) -> list[str]:
        found = []
        if self.delimiter and (len(self.delimiter) != 1 or self.delimiter in '"\r\n\0'):
            found.append("option delimiter: one character, such as ; or a tab")
        if self.encoding and not find_codec(self.encoding):
            found.append(f"option encoding: there is no encoding {self.encoding[:40]!r}")
        return found


@register
class CsvKind(TableKind):
    """The payload is the row, ``{column: text}``; cells that a short row lacks are empty.

    A row with more cells than columns, or without an id, is left out and counted. Unmatched
    quotation marks and undecodable bytes are an error, because the next row cannot be found.
    """

    name: ClassVar[str] = "csv"
    description: ClassVar[str] = gettext_noop("A CSV file with a header: a path, or an upload.")
    counts_rows: ClassVar[bool] = True
    options: ClassVar[type[FileOptions]] = CsvOptions

    def table(self, file: BinaryIO, options: CsvOptions) -> CsvTable:
        return CsvTable(
            file,
            limits=Limits(),
            expects=options.id_field,
            delimiter=options.delimiter,
            encoding=options.encoding,
        )
