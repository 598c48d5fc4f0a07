"""A traceback in parts: calls in the project's own code, and calls within libraries; pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

_FRAME = re.compile(r'  File "(?P<file>[^"\n]*)", line [0-9]+, in ')
#: Where packages and Python's own modules are, on the worker that failed.
_LIBRARY = re.compile(
    r"[/\\](?:site|dist)-packages[/\\]|[/\\]lib(?:64)?[/\\]python[0-9.]+[/\\]|[/\\]python[0-9.]+\.zip"
    r"|^<(?!string>)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Part:
    """Consecutive lines of a traceback; ``calls`` within libraries, 0 for anything else."""

    text: str
    calls: int = 0


def split_traceback(text: str) -> Sequence[Part]:
    """Split a traceback where own code and libraries alternate; joined again it is the same."""
    parts: list[Part] = []
    for library, blocks in groupby(_split_blocks(text), key=_is_library):
        lines = list(blocks)
        parts.append(Part("".join(lines), calls=len(lines) if library else 0))
    return parts


def _split_blocks(text: str) -> Iterator[str]:
    """Yield each call with its lines of code, and what is between calls."""
    block = ""
    for line in text.splitlines(keepends=True):
        # A call's own lines are deeper than it; all others begin something new.
        inside = line.startswith("    ") if _FRAME.match(block) else not _FRAME.match(line)
        if block and not inside:
            yield block
            block = ""
        block += line
    if block:
        yield block


def _is_library(block: str) -> bool:
    found = _FRAME.match(block)
    return found is not None and _LIBRARY.search(found["file"]) is not None
