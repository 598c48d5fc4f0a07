"""The reader of JSON objects: one on each line, or one list of them."""

import codecs
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, Self, cast

from entries.errors import SourceError
from entries.net.charset import find_mark
from entries.readers.base import Limits, Row, RowError, Table
from entries.readers.json_list import JsonList
from entries.readers.json_text import STRICT, RowFault, check_object

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_STEP = 64 * 1024


class JsonTable(Table):
    """Each row has the keys of its own object; NaN is a float.

    Without ``lists`` only one object a line is accepted. A bad line is left out alone; invalid JSON
    in a list is an error of the file from there on.
    """

    unit = "line"

    def __init__(self, file: BinaryIO, *, limits: Limits, lists: bool = True) -> None:
        super().__init__(file, limits=limits)
        self._lists = lists

    def __enter__(self) -> Self:
        self.check_size()
        mark = find_mark(self.file.read(4))
        self.file.seek(len(codecs.BOM_UTF8) if mark == "utf-8-sig" else 0)
        if mark not in {"", "utf-8-sig"}:
            self.file = cast("BinaryIO", io.BufferedReader(_Utf8Stream(self.file, mark)))
        self._blank_lines, self._first = self._first_line()
        if self._first.startswith(b"["):
            if not self._lists:
                raise SourceError("malformed", "the file is one JSON list, not an object a line")
            self.unit = "item"
        return self

    def __iter__(self) -> Iterator[Row | RowError]:
        if self.unit == "item":
            yield from JsonList(self.file, self._first, limits=self.limits, meter=self.meter)
            return
        rows = cells = unseen = 0
        for number, line in self._lines():
            row = self._row(number, line)
            rows += 1
            cells += len(row.values) if isinstance(row, Row) else 0
            if rows > unseen:
                unseen = self.meter.add(rows, cells)
                rows = cells = 0
            yield row

    def count(self) -> int:
        return super().count() if self.unit == "item" else sum(1 for _ in self._lines())

    def _row(self, number: int, line: bytes) -> Row | RowError:
        if len(line) > self.limits.characters:
            return RowError(number, f"longer than {self.limits.characters:,} bytes")
        try:
            text = line.decode()
            return Row(number, check_object(STRICT.decode(text), text, columns=self.limits.columns))
        except UnicodeDecodeError:
            return RowError(number, "not in UTF-8")
        except RowFault as fault:
            return RowError(number, str(fault))
        except (ValueError, RecursionError):
            return RowError(number, "not JSON")

    def _first_line(self) -> tuple[int, bytes]:
        """Return how many blank lines there are, and the beginning of the line after them."""
        number = 0
        while line := self.file.readline(self.limits.characters + 1):
            if b"\0" in line:
                raise SourceError("malformed", "the file is binary, or not in UTF-8")
            if not line.isspace():
                return number, line.lstrip()
            number += line.endswith(b"\n")
            self.meter.check_clock()
        raise SourceError("empty", "the file has only empty lines")

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield lines that are not empty with their numbers, too long ones cut."""
        limit = self.limits.characters
        number, line = self._blank_lines, self._first
        while line:
            number += 1
            if len(line) > limit:
                rest = line
                while rest and not rest.endswith(b"\n"):
                    rest = self.file.readline(_STEP)
            if not line.isspace():
                yield number, line
            line = self.file.readline(limit + 1)


class _Utf8Stream(io.RawIOBase):
    """A stream in another encoding, recoded to UTF-8."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        while not self._ready:
            data = self._file.read(_STEP)
            try:
                self._ready = self._decoder.decode(data, final=not data).encode()
            except UnicodeError as error:
                raise SourceError(
                    "malformed", "the file is not in UTF-16, as its byte order mark says"
                ) from error
            if not data:
                break
        view = memoryview(buffer).cast("B")
        size = min(len(view), len(self._ready))
        view[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size
