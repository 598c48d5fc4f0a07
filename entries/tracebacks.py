"""Stored tracebacks, divided into own frames and those of libraries; pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

_FRAME = re.compile(r'(?P<indent>[ |+]*)File "(?P<file>[^"\n]*)", line \d+')
_REPEATED = re.compile(r"[ |+]*\[Previous line repeated ")
#: Installed packages, Python's own modules, and code that is in no file.
_LIBRARY = re.compile(
    r"[\\/](?:site|dist)-packages[\\/]|[\\/]lib(?:64)?[\\/]python3|[\\/]Python3\d+[\\/]Lib[\\/]|^<",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Section:
    """Lines that belong together. ``frames``: how many calls; 0 where none of a library's.

    ``own``: calls of the project, and everything that is no call, such as the error.
    """

    text: str
    own: bool
    frames: int = 0


def is_library(file: str) -> bool:
    """Return whether a file belongs to an installed package or to Python itself."""
    return bool(_LIBRARY.search(file))


def split_frames(traceback: str) -> list[Section]:
    """Divide a traceback; the texts of the sections together are the traceback.

    Where it has no own frames, all of it is one own section: there is nothing to look at instead.
    """
    pieces = list(_divide(traceback))
    if not any(own and frame for own, frame, _ in pieces):
        return [Section(traceback, own=True)] if traceback else []
    sections = []
    for own, group in groupby(pieces, key=lambda piece: piece[0]):
        part = list(group)
        text = "".join(text for _, _, text in part)
        sections.append(Section(text, own=own, frames=0 if own else len(part)))
    return sections


def cut_middle(text: str, *, limit: int, head: int) -> str:
    """Cut the middle: the first calls and the place of the failure matter most."""
    if len(text) <= limit:
        return text
    gap = f"\n  … {len(text) - limit:,} characters left out …\n"
    return text[:head] + gap + text[len(text) - (limit - head - len(gap)) :]


def _divide(traceback: str) -> Iterator[tuple[bool, bool, str]]:
    """Yield (own, whether it is a frame, text) for each frame and each line outside of frames."""
    lines: list[str] = []
    own, indent = True, -1
    for line in traceback.splitlines(keepends=True):
        frame = _FRAME.match(line)
        inside = indent >= 0 and (_depth(line) > indent or _REPEATED.match(line))
        if frame is None and inside:
            lines.append(line)
            continue
        if lines:
            yield own, indent >= 0, "".join(lines)
        lines = [line]
        own = frame is None or not is_library(frame["file"])
        indent = len(frame["indent"]) if frame else -1
    if lines:
        yield own, indent >= 0, "".join(lines)


def _depth(line: str) -> int:
    """How far a line is indented; a blank one belongs to what is before it."""
    stripped = line.lstrip(" |+")
    return len(line) - len(stripped) if stripped.strip() else len(line) + 1_000
