"""Cells that no spreadsheet runs, and the way back."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from retry.imports.cells import cell_text, escape_formula, unescape_formula

SIGNS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
#: Text made of what matters here.
TRICKY = st.text(st.sampled_from([*SIGNS, "'", " ", "a", "\u3000"]), max_size=8)


@given(st.text() | TRICKY)
@example("'")
@example("''=")
@example("' =")
def test_there_is_an_exact_way_back(text: str) -> None:
    assert unescape_formula(escape_formula(text)) == text


@given(TRICKY)
def test_nothing_begins_with_a_sign_however_it_is_trimmed(text: str) -> None:
    cell = escape_formula(text)
    assert cell[:1] not in set(SIGNS)
    assert cell.strip()[:1] not in set(SIGNS)


@given(st.text(st.characters(exclude_characters="'" + SIGNS)))
def test_harmless_text_stays(text: str) -> None:
    assert escape_formula(text) == text == unescape_formula(text)


@pytest.mark.parametrize("sign", SIGNS)
def test_each_sign(sign: str) -> None:
    assert escape_formula(f"{sign}1+1") == f"'{sign}1+1"
    assert escape_formula(f"1{sign}1") == f"1{sign}1"


def test_what_is_no_text() -> None:
    assert cell_text(None) == ""
    assert cell_text(7) == "7"
    assert cell_text(datetime(2026, 1, 31, tzinfo=UTC)) == "2026-01-31T00:00:00+00:00"
    assert json.loads(cell_text({"a": [True, "é"]})) == {"a": [True, "é"]}
    assert "é" in cell_text(["é"])
