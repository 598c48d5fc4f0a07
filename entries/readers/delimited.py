"""CSV files, with whatever stands between the cells."""

from collections.abc import Callable, Iterator
from typing import BinaryIO, ClassVar, Self

from entries.readers.base import Limits, Row, RowError, Table


class CsvTable(Table):
    """Values are text; a missing one is empty."""

    unit: ClassVar[str] = "line"

    def __init__(
        self,
        file: BinaryIO,
        *,
        limits: Limits,
        expects: str = "",
        rename: Callable[[str], str] = str,
        delimiter: str = "",
        encoding: str = "",
    ) -> None:
        super().__init__(limits=limits)

    def __enter__(self) -> Self:
        raise NotImplementedError

    def __iter__(self) -> Iterator[Row | RowError]:
        raise NotImplementedError
