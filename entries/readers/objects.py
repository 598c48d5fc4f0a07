"""Files of JSON objects: one a line, or one list of them."""

from collections.abc import Iterator
from typing import BinaryIO, ClassVar, Self

from entries.readers.base import Limits, Row, RowError, Table


class JsonTable(Table):
    """Each row has the keys of its object and no others."""

    unit: ClassVar[str] = "line"

    def __init__(self, file: BinaryIO, *, limits: Limits, lists: bool = True) -> None:
        super().__init__(limits=limits)

    def __enter__(self) -> Self:
        raise NotImplementedError

    def __iter__(self) -> Iterator[Row | RowError]:
        raise NotImplementedError
