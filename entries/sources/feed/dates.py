"""Dates in feeds, in whatever form; pure."""

import re
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from entries.text import one_line

_ENDS_WITH_TIME = re.compile(r"[0-9]:[0-9]{2}(?::[0-9]{2})?(?:\.[0-9]+)?$")


class Dates:
    """Reads the dates of one feed, and counts those of which it can make nothing."""

    def __init__(self) -> None:
        self._unread = 0
        self._example = ""

    def read(self, said: object, parsed: time.struct_time | None = None) -> str:
        """ISO 8601 in UTC; empty where there is no date. ``parsed``: what feedparser made of it.

        Without a zone it is UTC.
        """
        text = said.strip() if isinstance(said, str) else ""
        found = _of_struct(parsed) or _of_text(text[:100])
        if text and not found:
            self._unread += 1
            self._example = self._example or one_line(text, limit=50)
        return found

    @property
    def note(self) -> str:
        """What could not be read, in words; empty where all could."""
        if not self._unread:
            return ""
        dates = "1 date" if self._unread == 1 else f"{self._unread:,} dates"
        return f"{dates} could not be read, such as {self._example!r}"


def _of_struct(parsed: time.struct_time | None) -> str:
    if parsed is None:
        return ""
    try:
        return datetime(*parsed[:6], tzinfo=UTC).isoformat()
    except (ValueError, OverflowError):
        return ""


def _of_text(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        # The form of e-mail; without a zone that is not for feedparser.
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
