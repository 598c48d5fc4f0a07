"""What an error is called where its upstream is shown beside it: short, without what varies."""

import re

from entries.fingerprints import normalise, write_status
from entries.text import one_line

_MAX_MESSAGE = 160
#: An address at the end, which says no more than the upstream beside it.
_FROM = re.compile(r"(?:\s+(?:from|at|to))?\s+https?://\S+$", re.IGNORECASE)


def shorten_message(message: str, *, upstream: str = "") -> str:
    """``HTTP 503``, of ``HTTP 503 from http://a.example/pages/17`` where ``upstream`` is shown."""
    text = write_status(one_line(normalise(message), limit=_MAX_MESSAGE))
    return drop_address(text) if upstream else text


def drop_address(message: str) -> str:
    """``HTTP 503``, of ``HTTP 503 from http://#/<path>``; for where the upstream is shown."""
    return _FROM.sub("", message) or message
