"""The error that another process has ended in, from the text of its traceback; pure."""

import re

from entries.fingerprints import fingerprint
from entries.text import MAX_MESSAGE, ErrorInfo, clean_text, clean_traceback, scrub
from entries.tracebacks import is_library

BEGIN = "Traceback (most recent call last):"
#: The class of an error that is not known.
UNKNOWN = "UnknownError"
_ERROR = re.compile(r"(?P<name>[A-Za-z_][\w.<>]*)(?:: (?P<message>.*))?", re.DOTALL)
_FRAME = re.compile(r'  File "(?P<file>[^"\n]*)", line \d+, in (?P<function>[^\n]+)')


def describe_text(text: str, *, otherwise: tuple[str, str]) -> ErrorInfo:
    """Describe the error of the last traceback in ``text``.

    ``otherwise``: class and message where there is none.
    """
    block = text[text.rfind(BEGIN) :] if BEGIN in text else text
    name, message = _find_error(block) if block.startswith(BEGIN) else otherwise
    error_class = clean_text(name, limit=200)
    message = clean_text(scrub(message), limit=MAX_MESSAGE)
    return ErrorInfo(
        error_class=error_class,
        message=message,
        traceback=clean_traceback(text),
        fingerprint=fingerprint(error_class, message, frames=_find_frame(block)),
    )


def find_last_part(name: str) -> str:
    """Return the name of a class without its module."""
    return name.rpartition("<locals>.")[2].rpartition(".")[2] or UNKNOWN


def _find_error(block: str) -> tuple[str, str]:
    """Return class and message: the first line after the frames, and what follows it."""
    lines = block.splitlines()
    place = 1
    for number, line in enumerate(lines[1:], start=1):
        if line[:1] not in {" ", ""}:
            place = number
            break
    found = _ERROR.fullmatch("\n".join(lines[place:]).strip())
    if found is None:
        return UNKNOWN, "\n".join(lines[place:])
    return find_last_part(found["name"]), found["message"] or ""


def _find_frame(block: str) -> tuple[str, ...]:
    """Return the innermost function of the project's own code, as for errors of our own."""
    frames = list(_FRAME.finditer(block))
    own = [frame for frame in frames if not is_library(frame["file"])]
    return tuple(f"{_stem(frame['file'])}:{frame['function']}" for frame in (own or frames)[-1:])


def _stem(file: str) -> str:
    return re.split(r"[\\/]", file)[-1].removesuffix(".py")
