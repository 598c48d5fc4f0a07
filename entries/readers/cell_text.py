"""Text and values as cells of a workbook write them; pure."""

import re
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils.duration import duration_iso_string
from openpyxl.utils.datetime import from_excel, from_ISO8601, to_excel

from entries.readers.json_text import RowFault

_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_UNDERSCORE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def unescaped(text: str) -> str:
    """``_xHHHH_`` stands for one UTF-16 unit, also for the underscore that would begin it."""
    if "_x" not in text:
        return text
    text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    if _SURROGATE.search(text):
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError as error:
            raise RowFault("half a character (a lone surrogate)") from error
    return text


def for_cells(text: str) -> str:
    """``text`` as a workbook has to hold it; ``unescaped`` is the exact way back."""
    return _UNDERSCORE.sub("_x005F_", text).replace("\r", "_x000D_")


def number_in(text: str) -> int | float:
    """Raises ``RowFault``."""
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError as error:
            raise RowFault("a number that is none") from error


def moment(number: float, *, epoch: datetime, duration: bool) -> Any:
    """A number in a cell with a date's style, in ISO 8601; itself where no calendar has it."""
    try:
        return iso(from_excel(number, epoch, timedelta=duration))
    except (OverflowError, ValueError):
        return number


def iso_moment(text: str, *, epoch: datetime, duration: bool) -> Any:
    """A date in ISO 8601, as strict workbooks write it, as the same date is read from a number.

    Raises ``RowFault``.
    """
    try:
        value = from_ISO8601(text.strip())
        if isinstance(value, timedelta):
            return iso(value)
        return moment(to_excel(value, epoch), epoch=epoch, duration=duration)
    except (ValueError, TypeError, OverflowError, AttributeError) as error:
        raise RowFault("a date that is none") from error


def iso(value: Any) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return duration_iso_string(value) if isinstance(value, timedelta) else value
