"""``python -m tests.laws.diagram`` writes the moves of an entry into ``docs/states.md``."""

import re
from pathlib import Path

from entries.states import TRANSITIONS, EntryStatus, Transition, mermaid
from tests.laws.tree import ROOT

PAGE = ROOT / "docs" / "states.md"
_BLOCK = re.compile(r"(<!-- generated: do not edit -->\n).*?(<!-- end of generated -->)", re.DOTALL)


def generated() -> str:
    rows = [_row(move) for move in TRANSITIONS]
    head = ["| verb | from | to | fenced |", "| --- | --- | --- | --- |"]
    return "\n".join(["```mermaid", mermaid(), "```", "", *head, *rows, ""])


def page(text: str) -> str:
    """``text`` with its generated block replaced."""
    new, count = _BLOCK.subn(lambda found: f"{found[1]}{generated()}{found[2]}", text)
    if count != 1:
        raise ValueError(f"{PAGE} needs one block between its two markers")
    return new


def _row(move: Transition) -> str:
    sides = (
        ", ".join(s for s in EntryStatus if s in side) for side in (move.sources, move.targets)
    )
    return f"| {move.verb} | {' | '.join(sides)} | {'yes' if move.fenced else ''} |"


def write(path: Path = PAGE) -> None:
    path.write_text(page(path.read_text()))


if __name__ == "__main__":
    write()
