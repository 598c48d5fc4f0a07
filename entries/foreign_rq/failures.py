"""The error of a job, from the text that RQ keeps of it; pure."""

import re
import zlib
from base64 import b64decode

from entries.error_texts import UNKNOWN, describe_text, find_last_part
from entries.text import ErrorInfo

#: Bytes of an uncompressed traceback that are read: the end says which error it was.
_READ = 1_000_000
#: RQ's own words where there was no exception.
_MOVED = re.compile(r"due to (?P<error>[A-Za-z_][\w.]*)")
_DEATH = "Work-horse terminated unexpectedly"


def describe_failure(text: str) -> ErrorInfo:
    """Describe what a traceback, or RQ's own words, say of a failure."""
    return describe_text(text, otherwise=(_find_class(text), text))


def read_text(packed: bytes | None) -> str:
    """Return the text of ``exc_info`` or ``exc_string``, which is compressed, or base64 of that.

    Empty where there is none. Never raises.
    """
    if not packed:
        return ""
    for unpack in (bytes, _from_base64):
        try:
            return zlib.decompressobj().decompress(unpack(packed), _READ).decode("utf-8", "replace")
        except (zlib.error, ValueError):
            continue
    return packed[:_READ].decode("utf-8", "replace")


def _from_base64(packed: bytes) -> bytes:
    return b64decode(packed, validate=True)


def _find_class(text: str) -> str:
    moved = _MOVED.search(text[:2_000])
    if moved:
        return find_last_part(moved["error"])
    return "WorkHorseTerminated" if text.startswith(_DEATH) else UNKNOWN
