"""Files that sources are read from: uploads, and paths in folders that were opened for it.

Staff can edit sources and are not to read the server's other files through them.
"""

import io
import os
import stat
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, cast

from django.conf import settings
from pydantic import Field

from entries.errors import SourceError
from entries.masking import mask_address
from entries.readers.base import RowError, Table
from entries.sources.base import Invalid, Reading, SourceItem, SourceKind, SourceSpec
from entries.sources.files import uploads
from entries.sources.options import Options, parse

#: Up to this size a file is read through once beforehand: to count it, and to find what is broken
#: before anything is handed out.
READ_AHEAD = 200_000_000
_FIRST = 20


class FileOptions(Options):
    id_field: str = Field("id", min_length=1)
    title_field: str = Field("title", min_length=1)


class FileKind(SourceKind):
    """A kind of source that streams a file: memory does not grow with its rows.

    A row that could not be read is left out and counted, as is one without an id.
    """

    reads_files: ClassVar[bool] = True
    options: ClassVar[type[FileOptions]] = FileOptions
    #: Whether a file that is not large is read through beforehand.
    counts_rows: ClassVar[bool] = False

    def problems_with(self, spec: SourceSpec) -> list[str]:
        return [*parse(self.options, spec.options)[1], *problems_of(spec.location)]

    def read(self, spec: SourceSpec) -> Reading:
        options = self.options.of(spec.options)
        total = self._count(spec, options)
        notes: list[str] = []
        items = _primed(self._items(spec, options, notes))
        return Reading(items, total=total, notes=tuple(notes))

    @abstractmethod
    def table(self, file: BinaryIO, options: Any) -> Table:
        """What reads the file, with ``options`` of the class's own."""

    @abstractmethod
    def item(self, values: Mapping[str, Any], options: Any) -> SourceItem | Invalid:
        """A row as an item; without a title the id stands in."""

    def check(self, table: Table, options: Any) -> None:
        """Raise ``SourceError`` where the header does not fit the options."""

    def _count(self, spec: SourceSpec, options: FileOptions) -> int | None:
        """How many rows there are, or None where counting them takes too long."""
        with opened(spec.location) as file:
            if not self.counts_rows or size_of(file) > READ_AHEAD:
                return None
            with self.table(file, options) as table:
                return table.count()

    def _items(
        self, spec: SourceSpec, options: FileOptions, notes: list[str]
    ) -> Iterator[SourceItem | Invalid]:
        """Opens the file when the first item is asked for, and holds one row at a time.

        What is known of the file as a whole by then is in ``notes``.
        """
        with opened(spec.location) as file, self.table(file, options) as table:
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


def opened(location: str) -> BinaryIO:
    """The file, open for reading at its beginning.

    Raises ``SourceError`` with ``not_found``, ``not_allowed``, ``not_a_file`` or ``unreadable``.
    """
    try:
        if location.startswith(uploads.PREFIX):
            return _opened_upload(location)
        return _opened_path(_allowed(location))
    except FileNotFoundError as error:
        raise SourceError("not_found", f"there is no file {_shown(location)}") from error
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise SourceError("unreadable", f"{_shown(location)} cannot be read: {why}") from error


def problems_of(location: str) -> list[str]:
    try:
        opened(location).close()
    except SourceError as error:
        return [str(error)]
    return []


def size_of(file: BinaryIO) -> int:
    """In bytes; the file is at its beginning afterwards."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    return size


def _opened_upload(location: str) -> BinaryIO:
    name = uploads.name_in(location)
    if name is None:
        raise SourceError("not_allowed", f"{_shown(location)} is not the name of an uploaded file")
    return cast("BinaryIO", uploads.storage().open(name, "rb").file)


def _allowed(location: str) -> Path:
    """The real path behind ``location``, all links followed, if it may be read."""
    folders = [Path(name) for name in settings.REDRIVE_SOURCE_DIRS]
    try:
        path = Path(location)
        real = path.resolve()
        inside = any(real.is_relative_to(folder.resolve()) for folder in folders)
    except (RuntimeError, ValueError) as error:
        raise SourceError("not_allowed", f"{_shown(location)} is no path") from error
    if not path.is_absolute() or not inside:
        # The same for what is there and what is not: this is no way to look around.
        known = ", ".join(map(str, folders)) or "none"
        raise SourceError(
            "not_allowed",
            f"{_shown(location)} is not the full path of a file in a folder that sources may be "
            f"read from; REDRIVE_SOURCE_DIRS names those (now: {known})",
        )
    return real


def _opened_path(path: Path) -> BinaryIO:
    # The path is resolved, so a link that is there now came in between; a pipe would never end.
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise SourceError("not_a_file", f"{_shown(str(path))} is not an ordinary file")
    return os.fdopen(number, "rb")


def _primed(items: Iterator[SourceItem | Invalid]) -> Iterator[SourceItem | Invalid]:
    """The same items. Raises what is wrong with the beginning of the file now, not later.

    A file of something else altogether has no usable row; it must not pass for a source from
    which everything was removed.
    """
    head = list(islice(items, _FIRST))
    if head and not any(isinstance(item, SourceItem) for item in head):
        first = cast("Invalid", head[0])
        where = f"{first.example}: " if first.example else ""
        raise SourceError(
            "malformed", f"none of the first {len(head)} rows can be used ({where}{first.reason})"
        )
    return chain(head, items)


def _shown(location: str) -> str:
    return repr(mask_address(location)[:200])
