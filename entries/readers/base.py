"""What every reader gives and keeps to; pure."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

from entries.errors import SourceError

#: Rows from one look at the clock to the next.
_CLOCK_ROWS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of a file is read. What is beyond is refused as ``too_large`` or ``too_slow``.

    ``bytes``: of the file, and of what a workbook's parts unpack to. ``cells``: also empty ones
    that the file spells out. ``characters``: of one row of text, and of one cell.
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
    """A row that could not be read: what it says, and whether a known entry is meant, is unknown.

    ``reason`` is short and the same for all rows of its sort.
    """

    line: int
    reason: str


class Table(ABC):
    """A file while it is read; a context manager, whose rows can be iterated once.

    Entering it reads the header. Everything raises ``SourceError`` and nothing else, with one of
    the codes ``malformed``, ``empty``, ``not_found``, ``not_allowed``, ``too_large`` and
    ``too_slow``. The stream must be seekable; it stays the caller's to close.
    """

    #: What ``line`` of a row counts: ``line``, ``row`` or ``item``.
    unit: ClassVar[str]

    def __init__(self, *, limits: Limits) -> None:
        self.limits = limits
        #: The header; empty where each row names its own columns.
        self.columns: tuple[str, ...] = ()
        #: What had to be left out or looked odd, in words; complete once all rows were read.
        self.notes: list[str] = []
        self._open = ExitStack()

    @abstractmethod
    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @abstractmethod
    def __iter__(self) -> Iterator[Row | RowError]:
        """Rows that are not blank, below the header."""

    def place(self, line: int) -> str:
        """Where a row is, for people: ``line 1,234``."""
        return f"{self.unit} {line:,}"


class Meter:
    """Counts what was read against the limits."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._deadline = time.monotonic() + limits.seconds
        self.rows = 0
        self.cells = 0

    def add_row(self, cells: int) -> None:
        """Raises ``SourceError`` beyond a limit."""
        self.rows += 1
        self.cells += cells
        if self.rows > self._limits.rows:
            raise SourceError("too_large", f"the file has more than {self._limits.rows:,} rows")
        if self.cells > self._limits.cells:
            raise SourceError("too_large", f"the file has more than {self._limits.cells:,} cells")
        if not self.rows % _CLOCK_ROWS:
            self.check_clock()

    def check_clock(self) -> None:
        if time.monotonic() > self._deadline:
            raise SourceError(
                "too_slow", f"reading the file takes more than {self._limits.seconds:g} seconds"
            )
