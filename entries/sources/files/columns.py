"""Kinds of source with rows below a header, such as CSV files and workbooks."""

from collections.abc import Mapping
from typing import Any

from entries.readers.base import Table
from entries.readers.header import require_column
from entries.sources.base import Invalid, SourceItem
from entries.sources.files.kind import FileKind, FileOptions
from entries.sources.ids import format_id


class TableKind(FileKind):
    """The payload is the row, as the header names the columns."""

    def check(self, table: Table, options: FileOptions) -> None:
        # The default column for titles may be missing.
        if options.title_field != FileOptions().title_field:
            require_column(options.title_field, table.columns)

    def item(self, values: Mapping[str, Any], options: FileOptions) -> SourceItem | Invalid:
        external_id = format_id(values[options.id_field])
        if not external_id or external_id.isspace():
            return Invalid("without an id")
        title = format_id(values.get(options.title_field))
        return SourceItem(external_id, title or external_id, values)
