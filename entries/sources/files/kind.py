"""Kinds of source that read a file."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any, BinaryIO, ClassVar, cast

from pydantic import Field

from entries.errors import SourceError
from entries.readers.base import RowError, Table
from entries.sources.base import Invalid, Reading, SourceItem, SourceKind, SourceSpec
from entries.sources.files.locations import (
    READ_AHEAD,
    find_location_problems,
    measure_size,
    open_file,
)
from entries.sources.options import Options, parse_options

_FIRST = 20


class FileOptions(Options):
    id_field: str = Field("id", min_length=1)
    title_field: str = Field("title", min_length=1)


class FileKind(SourceKind):
    """A kind of source that streams a file: memory does not grow with its rows.

    Rows that cannot be read or have no id are left out and counted.
    """

    reads_files: ClassVar[bool] = True
    options: ClassVar[type[FileOptions]] = FileOptions
    #: Whether a file up to ``READ_AHEAD`` bytes is read through beforehand.
    counts_rows: ClassVar[bool] = False

    def problems_with(self, spec: SourceSpec) -> list[str]:
        return [
            *parse_options(self.options, spec.options)[1],
            *find_location_problems(spec.location),
        ]

    def read(self, spec: SourceSpec) -> Reading:
        options = self.options.parse(spec.options)
        total = self._count(spec, options)
        notes: list[str] = []
        items = _check_beginning(self._items(spec, options, notes))
        return Reading(items, total=total, notes=tuple(notes))

    @abstractmethod
    def table(self, file: BinaryIO, options: Any) -> Table:
        """Return the reader of a file; ``options`` are of the class's own type."""

    @abstractmethod
    def item(self, values: Mapping[str, Any], options: Any) -> SourceItem | Invalid:
        """Build an item of a row; without a title the id is its title."""

    def check(self, table: Table, options: Any) -> None:
        """Raise ``SourceError`` where the header does not fit the options."""

    def _count(self, spec: SourceSpec, options: FileOptions) -> int | None:
        """Return how many rows there are, or None where counting takes too long."""
        with open_file(spec.location) as file:
            if not self.counts_rows or measure_size(file) > READ_AHEAD:
                return None
            with self.table(file, options) as table:
                return table.count()

    def _items(
        self, spec: SourceSpec, options: FileOptions, notes: list[str]
    ) -> Iterator[SourceItem | Invalid]:
        """Yield items, one row in memory at a time; the file is opened at the first.

        Notes on the file as a whole are added to ``notes`` before the first item.
        """
        with open_file(spec.location) as file, self.table(file, options) as table:
            self.check(table, options)
            notes += table.notes
            for row in table:
                if isinstance(row, RowError):
                    yield Invalid(row.reason, table.place(row.line))
                    continue
                item = self.item(row.values, options)
                if isinstance(item, Invalid):
                    item = Invalid(item.reason, table.place(row.line))
                yield item


def _check_beginning(items: Iterator[SourceItem | Invalid]) -> Iterator[SourceItem | Invalid]:
    """Return the same items; raise ``SourceError`` now where the first rows are all unusable.

    A file of another format has no usable row, and must not count as a source from which every
    item was removed.
    """
    head = list(islice(items, _FIRST))
    if head and not any(isinstance(item, SourceItem) for item in head):
        first = cast("Invalid", head[0])
        where = f"{first.example}: " if first.example else ""
        raise SourceError(
            "malformed", f"none of the first {len(head)} rows can be used ({where}{first.reason})"
        )
    return chain(head, items)
