"""What an error is called on the front page: short, without what varies from case to case."""

import re

from entries.fingerprints import normalise
from entries.text import one_line

_MAX_MESSAGE = 160
#: An address at the end, which says no more than the upstream beside it.
_FROM = re.compile(r"(?:\s+(?:from|at|to))?\s+https?://\S+$", re.IGNORECASE)
_STATUS = re.compile(r"\bhttp (?=[1-5][0-9]{2}\b)")


def shorten_message(message: str, *, upstream: str = "") -> str:
    """``HTTP 503``, of ``HTTP 503 from http://a.example/pages/17`` where ``upstream`` is shown."""
    text = _STATUS.sub("HTTP ", one_line(normalise(message), limit=_MAX_MESSAGE))
    return (_FROM.sub("", text) or text) if upstream else text
