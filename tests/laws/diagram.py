"""``python -m tests.laws.diagram`` writes the drawings of the documents.

The moves of an entry go into ``docs/states.md``, the rooms of the code into
``docs/architecture.md``.
"""

import os
import re
from pathlib import Path

import django

if __name__ == "__main__":  # the models below need it
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")
    django.setup()

from entries.states import TRANSITIONS, EntryStatus, Transition, mermaid
from retry.models import OperationState
from retry.operations import moves
from tests.laws import rooms
from tests.laws.tree import ROOT

PAGE = ROOT / "docs" / "states.md"
_BLOCK = re.compile(r"(<!-- generated: do not edit -->\n).*?(<!-- end of generated -->)", re.DOTALL)
_OPERATIONS = re.compile(
    r"(<!-- generated: operations -->\n).*?(<!-- end of operations -->)", re.DOTALL
)


def generated() -> str:
    rows = [_row(move) for move in TRANSITIONS]
    head = ["| verb | from | to | fenced |", "| --- | --- | --- | --- |"]
    return "\n".join(["```mermaid", mermaid(), "```", "", *head, *rows, ""])


def page(text: str) -> str:
    """Return the page of the states with its generated blocks replaced."""
    return _replace(_replace(text, generated()), operations(), _OPERATIONS)


def operations() -> str:
    """The same for operations."""
    head = ["| verb | from | to | by |", "| --- | --- | --- | --- |"]
    rows = [_operation_row(move) for move in moves.MOVES]
    return "\n".join(["```mermaid", moves.mermaid(), "```", "", *head, *rows, ""])


def rooms_page(text: str) -> str:
    """Return the page of the architecture with its generated block replaced."""
    return _replace(text, rooms.draw())


def _replace(text: str, block: str, place: re.Pattern[str] = _BLOCK) -> str:
    new, count = place.subn(lambda found: f"{found[1]}{block}{found[2]}", text)
    if count != 1:
        raise ValueError("the page needs one block between its two markers")
    return new


def _row(move: Transition) -> str:
    sides = (
        ", ".join(s for s in EntryStatus if s in side) for side in (move.sources, move.targets)
    )
    return f"| {move.verb} | {' | '.join(sides)} | {'yes' if move.fenced else ''} |"


def _operation_row(move: moves.OperationMove) -> str:
    sides = (
        ", ".join(s.value for s in OperationState if s in side) or "the same"
        for side in (move.sources, move.targets)
    )
    return f"| {move.verb} | {' | '.join(sides)} | {'people' if move.by_people else 'dispatcher'} |"


def write(path: Path = PAGE) -> None:
    path.write_text(page(path.read_text()))


if __name__ == "__main__":
    write()
    rooms.PAGE.write_text(rooms_page(rooms.PAGE.read_text()))
