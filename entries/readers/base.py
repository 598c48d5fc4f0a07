"""The contract of readers: rows, limits and tables; pure."""

import io
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple, Self

from entries.errors import SourceError

#: Rows between two checks of the clock and the limits.
_MOST_UNSEEN = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of a file is read; more is refused as ``too_large`` or ``too_slow``.

    ``bytes``: of the file, and of each part that a workbook unpacks to. ``cells``: rows times
    columns, including empty cells that the file contains, and blank rows. ``characters``: of a row.
    The defaults are for files that stream through a worker.
    """

    bytes: int = 20_000_000_000
    rows: int = 100_000_000
    columns: int = 16_384
    cells: int = 1_000_000_000
    characters: int = 1_000_000
    seconds: float = float("inf")


class Row(NamedTuple):
    line: int
    values: Mapping[str, Any]


class RowError(NamedTuple):
    """A row that could not be read; which entry it belongs to is unknown.

    ``reason`` is short, and the same for all rows with the same fault.
    """

    line: int
    reason: str


class Table(ABC):
    """An open file; a context manager, whose rows can be iterated once.

    Entering it reads the header. All methods raise ``SourceError`` and nothing else, with one of
    the codes ``malformed``, ``empty``, ``not_found``, ``not_allowed``, ``too_large`` and
    ``too_slow``. The stream must be seekable; the caller closes it.
    """

    #: What ``line`` of a row counts: ``line``, ``row`` or ``item``.
    unit: str

    def __init__(self, file: BinaryIO, *, limits: Limits) -> None:
        self.file = file
        self.limits = limits
        self.meter = Meter(limits)
        #: The header; empty where each row names its own columns.
        self.columns: tuple[str, ...] = ()
        #: What was left out or looked odd, in sentences; complete once all rows were read.
        self.notes: list[str] = []
        self._open = ExitStack()

    @abstractmethod
    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @abstractmethod
    def __iter__(self) -> Iterator[Row | RowError]:
        """Yield the rows below the header that are not blank."""

    def count(self) -> int:
        """Read the remaining rows and return how many there are."""
        return sum(1 for _ in self)

    def check_size(self) -> None:
        """Raise ``SourceError`` for an empty or too large file; leave it at its beginning."""
        size = self.file.seek(0, io.SEEK_END)
        self.file.seek(0)
        if not size:
            raise SourceError("empty", "the file is empty")
        if size > self.limits.bytes:
            raise SourceError("too_large", f"the file has more than {self.limits.bytes:,} bytes")

    def place(self, line: int) -> str:
        """Return where a row is, for people: ``line 1,234``."""
        return f"{self.unit} {line:,}"


class Meter:
    """Counts what was read against the limits.

    ``add`` returns how many rows may pass before the next call, because a call for each of a
    million small rows would cost too much.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._deadline = clock() + limits.seconds
        self.rows = 0
        self.cells = 0

    def add(self, rows: int, cells: int) -> int:
        """Raise ``SourceError`` beyond a limit; return how many such rows may pass uncounted."""
        limits = self._limits
        self.rows += rows
        self.cells += cells
        if self.rows > limits.rows:
            raise SourceError("too_large", f"the file has more than {limits.rows:,} rows")
        if self.cells > limits.cells:
            raise SourceError("too_large", f"the file has more than {limits.cells:,} cells")
        self.check_clock()
        width = cells // rows + 1 if rows else 1
        return min(_MOST_UNSEEN, limits.rows - self.rows, (limits.cells - self.cells) // width)

    def check_clock(self) -> None:
        if self._clock() > self._deadline:
            raise SourceError(
                "too_slow", f"reading the file takes more than {self._limits.seconds:g} seconds"
            )
