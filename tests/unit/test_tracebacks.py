"""Tracebacks divided into own frames and those of libraries."""

import traceback

from hypothesis import given
from hypothesis import strategies as st

from entries.tracebacks import Section, split_frames

HEAD = "Traceback (most recent call last):\n"
OWN = '  File "/srv/shop/orders.py", line 7, in send\n    client.post(url)\n    ~~~~~~~~~~~^^^^^\n'
LIBRARY = '  File "/srv/.venv/lib/python3.12/site-packages/httpx/a.py", line 9, in post\n    x()\n'
STDLIB = '  File "/usr/lib/python3.12/ssl.py", line 4, in read\n    y()\n'
FROZEN = '  File "<frozen importlib._bootstrap>", line 1, in _call\n'
ERROR = "ConnectError: refused\n"


def test_own_frames_and_the_error_are_apart_from_libraries() -> None:
    assert split_frames(HEAD + OWN + LIBRARY + STDLIB + FROZEN + ERROR) == [
        Section(HEAD + OWN, own=True),
        Section(LIBRARY + STDLIB + FROZEN, own=False, frames=3),
        Section(ERROR, own=True),
    ]


def test_a_cause_is_divided_as_well() -> None:
    cause = "\nThe above exception was the direct cause of the following exception:\n\n"
    sections = split_frames(HEAD + LIBRARY + ERROR + cause + HEAD + OWN + ERROR)
    assert [section.own for section in sections] == [True, False, True]
    assert sections[1].text == LIBRARY


def test_repeated_lines_belong_to_their_frame() -> None:
    repeated = "  [Previous line repeated 90 more times]\n"
    sections = split_frames(HEAD + OWN + LIBRARY + repeated + ERROR)
    assert sections[1] == Section(LIBRARY + repeated, own=False, frames=1)


def test_groups_of_errors() -> None:
    def inner(text: str) -> str:
        return "".join(f"  | {line}" for line in text.splitlines(keepends=True))

    text = f"  + Exception Group {HEAD}" + inner(OWN + LIBRARY + "ExceptionGroup: two\n")
    assert [section.own for section in split_frames(text)] == [True, False, True]


def test_without_own_frames_nothing_is_folded() -> None:
    for text in (HEAD + LIBRARY + ERROR, "Traceback: line 1\n  line 2", "x"):
        assert split_frames(text) == [Section(text, own=True)]
    assert split_frames("") == []


def test_a_real_one() -> None:
    import json

    try:
        json.loads("{")
    except ValueError:
        text = traceback.format_exc()
    folded = [section for section in split_frames(text) if not section.own]
    assert len(folded) == 1
    assert "json/decoder.py" in folded[0].text
    assert folded[0].frames >= 2


@given(st.lists(st.sampled_from([HEAD, OWN, LIBRARY, STDLIB, ERROR, "\n", "    x\n", "é\u2028"])))
def test_nothing_is_lost(parts: list[str]) -> None:
    text = "".join(parts)
    assert "".join(section.text for section in split_frames(text)) == text
