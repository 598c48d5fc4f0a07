"""The error of a job, from the text that RQ keeps of it; pure."""

import re
import zlib
from base64 import b64decode

from entries.fingerprints import fingerprint
from entries.text import MAX_MESSAGE, ErrorInfo, clean_text, clean_traceback, scrub
from entries.tracebacks import is_library

#: Bytes of an uncompressed traceback that are read: the end says which error it was.
_READ = 1_000_000
#: RQ's own words where there was no exception.
_MOVED = re.compile(r"due to (?P<error>[A-Za-z_][\w.]*)")
_DEATH = "Work-horse terminated unexpectedly"
_BEGIN = "Traceback (most recent call last):"
_ERROR = re.compile(r"(?P<name>[A-Za-z_][\w.<>]*)(?:: (?P<message>.*))?", re.DOTALL)
_FRAME = re.compile(r'  File "(?P<file>[^"\n]*)", line \d+, in (?P<function>[^\n]+)')
UNKNOWN = "UnknownError"


def describe_failure(text: str) -> ErrorInfo:
    """Describe what a traceback, or RQ's own words, say of a failure."""
    block = text[text.rfind(_BEGIN) :] if _BEGIN in text else text
    name, message = _find_error(block)
    error_class = clean_text(name, limit=200)
    message = clean_text(scrub(message), limit=MAX_MESSAGE)
    return ErrorInfo(
        error_class=error_class,
        message=message,
        traceback=clean_traceback(text),
        fingerprint=fingerprint(error_class, message, frames=_find_frame(block)),
    )


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


def _find_error(block: str) -> tuple[str, str]:
    """Return class and message: the first line after the frames, and what follows it."""
    if not block.startswith(_BEGIN):
        moved = _MOVED.search(block[:2_000])
        if moved:
            return _last_part(moved["error"]), block
        return ("WorkHorseTerminated" if block.startswith(_DEATH) else UNKNOWN), block
    lines = block.splitlines()
    place = 1
    for number, line in enumerate(lines[1:], start=1):
        if line[:1] not in {" ", ""}:
            place = number
            break
    found = _ERROR.fullmatch("\n".join(lines[place:]).strip())
    if found is None:
        return UNKNOWN, "\n".join(lines[place:])
    return _last_part(found["name"]), found["message"] or ""


def _last_part(name: str) -> str:
    return name.rpartition("<locals>.")[2].rpartition(".")[2] or UNKNOWN


def _find_frame(block: str) -> tuple[str, ...]:
    """Return the innermost function of the project's own code, as for errors of our own."""
    frames = list(_FRAME.finditer(block))
    own = [frame for frame in frames if not is_library(frame["file"])]
    return tuple(f"{_stem(frame['file'])}:{frame['function']}" for frame in (own or frames)[-1:])


def _stem(file: str) -> str:
    return re.split(r"[\\/]", file)[-1].removesuffix(".py")
