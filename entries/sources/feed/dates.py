"""Dates in feeds, in any form; pure."""

import re
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from entries.text import one_line

_ENDS_WITH_TIME = re.compile(r"[0-9]:[0-9]{2}(?::[0-9]{2})?(?:\.[0-9]+)?$")


class Dates:
    """Reads the dates of one feed, and counts those that it cannot read."""

    def __init__(self) -> None:
        self._unread = 0
        self._example = ""

    def read(self, value: object, parsed: time.struct_time | None = None) -> str:
        """Return a date in ISO 8601 and UTC; empty without one.

        ``parsed`` is what feedparser made of it. A date without a zone is in UTC.
        """
        text = value.strip() if isinstance(value, str) else ""
        found = _from_struct(parsed) or _from_text(text[:100])
        if text and not found:
            self._unread += 1
            self._example = self._example or one_line(text, limit=50)
        return found

    @property
    def note(self) -> str:
        """A sentence on dates that could not be read; empty where all could."""
        if not self._unread:
            return ""
        dates = "1 date" if self._unread == 1 else f"{self._unread:,} dates"
        return f"{dates} could not be read, such as {self._example!r}"


def _from_struct(parsed: time.struct_time | None) -> str:
    if parsed is None:
        return ""
    try:
        return datetime(*parsed[:6], tzinfo=UTC).isoformat()
    except (ValueError, OverflowError):
        return ""


def _from_text(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        # The format of e-mail without a zone, which feedparser does not read.
        if not _ENDS_WITH_TIME.search(text):
            return ""
        try:
            moment = parsedate_to_datetime(f"{text} GMT")
        except (ValueError, OverflowError):
            return ""
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    except OverflowError:
        return ""
