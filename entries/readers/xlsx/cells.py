"""Text and values as the cells of a workbook contain them; pure."""

import re
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils.duration import duration_iso_string
from openpyxl.utils.datetime import from_excel, from_ISO8601, to_excel

from entries.readers.json_text import RowFault

_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_UNDERSCORE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def unescape(text: str) -> str:
    """Replace each ``_xHHHH_`` by its UTF-16 unit. Raises ``RowFault`` for a lone surrogate."""
    if "_x" not in text:
        return text
    text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    if _SURROGATE.search(text):
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError as error:
            raise RowFault("half a character (a lone surrogate)") from error
    return text


def escape(text: str) -> str:
    """Escape ``text`` for a workbook; ``unescape`` is the exact inverse."""
    return _UNDERSCORE.sub("_x005F_", text).replace("\r", "_x000D_")


def parse_number(text: str) -> int | float:
    """Parse a number. Raises ``RowFault``."""
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError as error:
            raise RowFault("an invalid number") from error


def format_moment(number: float, *, epoch: datetime, duration: bool) -> Any:
    """Return a number with a date style in ISO 8601; the number itself where it is not a date."""
    try:
        return format_iso(from_excel(number, epoch, timedelta=duration))
    except (OverflowError, ValueError):
        return number


def parse_iso_moment(text: str, *, epoch: datetime, duration: bool) -> Any:
    """Return an ISO 8601 date of a strict workbook as ``format_moment`` returns the same date.

    Raises ``RowFault``.
    """
    try:
        value = from_ISO8601(text.strip())
        if isinstance(value, timedelta):
            return format_iso(value)
        return format_moment(to_excel(value, epoch), epoch=epoch, duration=duration)
    except (ValueError, TypeError, OverflowError, AttributeError) as error:
        raise RowFault("an invalid date") from error


def format_iso(value: Any) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return duration_iso_string(value) if isinstance(value, timedelta) else value
