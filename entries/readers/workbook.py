"""Excel workbooks."""

from collections.abc import Callable, Iterator
from typing import BinaryIO, ClassVar, Self

from entries.readers.base import Limits, Row, RowError, Table


class XlsxTable(Table):
    """Values are text, int, float, bool and None; dates, times and durations are ISO 8601 text."""

    unit: ClassVar[str] = "row"

    def __init__(
        self,
        file: BinaryIO,
        *,
        limits: Limits,
        expects: str = "",
        rename: Callable[[str], str] = str,
        sheet: str = "",
        front: bool = False,
    ) -> None:
        super().__init__(limits=limits)

    def __enter__(self) -> Self:
        raise NotImplementedError

    def __iter__(self) -> Iterator[Row | RowError]:
        raise NotImplementedError
