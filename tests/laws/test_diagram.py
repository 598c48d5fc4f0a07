"""The documents show the moves that the code makes, and the rooms that it has."""

from pathlib import Path

import pytest

from entries.states import TRANSITIONS, EntryStatus, mermaid
from tests.laws import diagram, rooms


def test_the_page_is_up_to_date() -> None:
    text = diagram.PAGE.read_text()
    assert text == diagram.page(text), "run: python -m tests.laws.diagram"


def test_every_move_is_an_arrow() -> None:
    drawn = mermaid()
    for move in TRANSITIONS:
        for source in move.sources:
            for target in move.targets:
                [arrow] = [ln for ln in drawn.splitlines() if f"{source} --> {target}:" in ln]
                assert move.verb in arrow.partition(": ")[2].split(", ")
    moves = {(s, t) for move in TRANSITIONS for s in move.sources for t in move.targets}
    assert drawn.count(" --> ") == len(moves) + 1  # and where it all begins


def test_every_status_is_explained() -> None:
    text = diagram.PAGE.read_text()
    for status in EntryStatus:
        assert f"\n| {status} | " in text


def test_writing_it_is_repeatable(tmp_path: Path) -> None:
    copy = tmp_path / "states.md"
    copy.write_text(diagram.PAGE.read_text().replace("retry", "something"))
    for _ in range(2):
        diagram.write(copy)
        assert mermaid() in copy.read_text()
    copy.write_text("no markers")
    with pytest.raises(ValueError, match="markers"):
        diagram.write(copy)


def test_the_drawing_of_the_rooms_is_up_to_date() -> None:
    text = rooms.PAGE.read_text()
    assert text == diagram.rooms_page(text), "run: python -m tests.laws.diagram"


def test_every_room_is_explained() -> None:
    text = rooms.PAGE.read_text()
    tables = {
        house: text.partition(f"| room of `{house}/` |")[2].partition("\n\n")[0]
        for house in rooms.HOUSES
    }
    missing = [
        room
        for room in rooms.find_rooms()
        if room != rooms.ENTRANCE
        and f"`{room.partition('.')[2]}/`" not in tables[room.partition(".")[0]]
    ]
    assert missing == []


def test_arrows_are_imports_that_no_longer_way_implies() -> None:
    arrows = rooms.find_arrows()
    assert "retry.runs" in rooms.find_reachable("retry.api", arrows)
    assert "retry.runs" not in arrows["retry.api"], "by way of the service"
    assert not any(room in targets for room, targets in arrows.items())
