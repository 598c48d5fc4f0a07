"""Files read as tables, by the reader of a format."""

import io
from collections.abc import Callable
from typing import Any

import pytest

from entries.errors import SourceError
from entries.readers.base import Limits, Row, RowError


def read_table(
    reader: Callable[..., Any], content: bytes | str, **options: Any
) -> list[Row | RowError]:
    data = content.encode() if isinstance(content, str) else content
    limits = options.pop("limits", Limits())
    with reader(io.BytesIO(data), limits=limits, **options) as table:
        return list(table)


def refused_table(reader: Callable[..., Any], content: bytes | str, **options: Any) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read_table(reader, content, **options)
    return caught.value
