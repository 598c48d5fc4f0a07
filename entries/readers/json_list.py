"""The reader of one JSON list, item by item: memory does not grow with the list."""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from entries.errors import SourceError
from entries.readers.base import Limits, Meter, Row, RowError
from entries.readers.json_text import LENIENT, STRICT, RowFault, check_object

_STEP = 64 * 1024
_BLANK = re.compile(r"[ \t\r\n]*")
#: The longest token of JSON outside of strings is "-Infinity".
_LONGEST_WORD = 20


class JsonList:
    """Iterates over the rows, numbered from 1. Raises ``SourceError`` where the text is not JSON.

    ``start`` was already read from ``file`` and begins with the list's bracket.
    """

    def __init__(self, file: BinaryIO, start: bytes, *, limits: Limits, meter: Meter) -> None:
        self._file = file
        self._limits = limits
        self._meter = meter
        # An undecodable byte is a fault of its item only.
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._text = self._decoder.decode(start)
        self._at = 1
        self._ended = False
        self._number = 0

    def __iter__(self) -> Iterator[Row | RowError]:
        sign = self._next_sign()
        while sign != "]":
            self._number += 1
            row = self._item()
            self._meter.add(1, len(row.values) if isinstance(row, Row) else 0)
            yield row
            sign = self._next_sign()
            if sign == ",":
                self._at += 1
                self._next_sign()
            elif sign != "]":
                raise self._broken("a comma or ] is missing after it")
        self._at += 1
        if self._next_sign():
            raise SourceError("malformed", "broken JSON: there is more after the list")

    def _item(self) -> Row | RowError:
        while (found := self._parse()) is None:
            limit = self._limits.characters
            if len(self._text) - self._at > limit:
                why = f"item {self._number:,} is longer than {limit:,} characters"
                raise SourceError("too_large", why)
            if not self._more():
                raise self._broken("the file ends within it")
        value, end = found
        text, self._at = self._text[self._at : end], end
        if len(text) > self._limits.characters:
            value = RowFault(f"longer than {self._limits.characters:,} characters")
        try:
            text.encode()
            return Row(self._number, check_object(value, text, columns=self._limits.columns))
        except UnicodeEncodeError:
            return RowError(self._number, "not in UTF-8")
        except RowFault as fault:
            return RowError(self._number, str(fault))

    def _parse(self) -> tuple[Any, int] | None:
        """Return a value or its fault, and where it ends; None where more text is needed."""
        try:
            value, end = STRICT.raw_decode(self._text, self._at)
        except json.JSONDecodeError as error:
            self._check_end(error)
            return None
        except RecursionError as error:
            raise self._broken("nested too deep") from error
        except ValueError as error:
            value = (
                error if isinstance(error, RowFault) else RowFault("a number with too many digits")
            )
            try:
                _, end = LENIENT.raw_decode(self._text, self._at)
            except json.JSONDecodeError as broken:
                self._check_end(broken)
                return None
        # 12 may be the beginning of 123.
        complete = end < len(self._text) or self._ended or isinstance(value, dict | list)
        return (value, end) if complete else None

    def _check_end(self, error: json.JSONDecodeError) -> None:
        """Raise ``SourceError`` where more text cannot make it valid."""
        far = len(self._text) - error.pos > _LONGEST_WORD
        if far and not error.msg.startswith("Unterminated"):
            raise self._broken(error.msg) from error

    def _next_sign(self) -> str:
        """Return the next character that is not white space; empty at the end."""
        while True:
            blank = _BLANK.match(self._text, self._at)
            self._at = blank.end() if blank else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _more(self) -> bool:
        """Read on; False at the end. The size doubles, so that the work stays linear."""
        if self._ended:
            return False
        rest = self._text[self._at :]
        data = self._file.read(max(_STEP, len(rest)))
        self._ended = not data
        self._text = rest + self._decoder.decode(data, final=not data)
        self._at = 0
        self._meter.check_clock()
        return True

    def _broken(self, why: str) -> SourceError:
        return SourceError("malformed", f"broken JSON at item {self._number:,}: {why}")
