"""Text and JSON from outside."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from entries.errors import PermanentError
from entries.text import (
    NotJSON,
    NotStorable,
    clean_json,
    clean_text,
    one_line,
    plain_text,
    visible,
)

anything = st.text(alphabet=st.characters(exclude_categories=()))
UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class TestCleanText:
    @pytest.mark.parametrize(
        ("value", "cleaned"),
        [
            (None, ""),
            ("", ""),
            ("naïve 🙂", "naïve 🙂"),
            ("a\x00b", "a\ufffdb"),
            ("a\ud800b\udfff", "a\ufffdb\ufffd"),
            ("\x1b[31mred\x7f\x9b", "\ufffd[31mred\ufffd\ufffd"),
            ("tab\tand\nline", "tab\tand\nline"),
            ("one\r\ntwo\rthree", "one\ntwo\nthree"),
            (b"caf\xc3\xa9 \xff", "café \ufffd"),
            (17, "17"),
        ],
    )
    def test_what_becomes_of_it(self, value: object, cleaned: str) -> None:
        assert clean_text(value, limit=100) == cleaned

    @pytest.mark.parametrize(
        ("limit", "cut"), [(0, ""), (1, "…"), (4, "abc…"), (5, "abcde"), (6, "abcde")]
    )
    def test_it_is_cut_with_an_ellipsis(self, limit: int, cut: str) -> None:
        assert clean_text("abcde", limit=limit) == cut

    def test_line_ends_that_shrink_do_not_count_twice(self) -> None:
        assert clean_text("\r\n" * 10, limit=10) == "\n" * 10

    @given(anything, st.integers(0, 50))
    @example("\r\n\r\n\r\n", 3)
    def test_it_fits_and_stays_as_it_is(self, text: str, limit: int) -> None:
        cleaned = clean_text(text, limit=limit)
        assert len(cleaned) <= limit
        assert not UNFIT.search(cleaned)
        assert clean_text(cleaned, limit=limit) == cleaned
        cleaned.encode()

    def test_one_line(self) -> None:
        assert one_line("  a\n\n b\t\x0b c ", limit=50) == "a b \ufffd c"


class TestPlainText:
    @pytest.mark.parametrize(
        ("markup", "text"),
        [
            ("a <b>bold</b> word", "a bold word"),
            ("<p>one</p><p>two</p>", "one two"),
            ("<script>alert(1)</script>Hi", "Hi"),
            ("Hi<SCRIPT src=x>alert(1)</SCRIPT > you<style>p{}</style>", "Hi you"),
            ("<script>never closed", ""),
            ("&lt;b&gt; &amp; &eacute;&#233;&#xE9;", "<b> & ééé"),
            ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
            ("&#0;&#xD800;&#1114112;&bogus;", "\ufffd\ufffd\ufffd&bogus;"),
            ("<!-- hidden -->shown<br/>next", "shown next"),
            ("<img src=x onerror=alert(1)>", ""),
        ],
    )
    def test_only_the_words_remain(self, markup: str, text: str) -> None:
        assert plain_text(markup, limit=100) == text

    @given(anything, st.integers(0, 80))
    def test_it_fits_on_one_line(self, markup: str, limit: int) -> None:
        text = plain_text(markup, limit=limit)
        assert len(text) <= limit
        assert "\n" not in text

    @pytest.mark.parametrize("piece", ["<", "<a", "<!--", "<script>", "&", "&#", "<p", "<a <a>"])
    def test_hostile_markup_is_quick(self, piece: str) -> None:
        plain_text(piece * 1_000_000, limit=100)


class Colour(StrEnum):
    RED = "red"


class TestCleanJson:
    @pytest.mark.parametrize(
        ("value", "cleaned"),
        [
            ({"a": [1, 2.5, None, True, "x"]}, {"a": [1, 2.5, None, True, "x"]}),
            ({"a\x00": "b\x00\ud800"}, {"a\ufffd": "b\ufffd\ufffd"}),
            ({"kept": "a\r\n\x01\x7f"}, {"kept": "a\r\n\x01\x7f"}),
            (
                [float("nan"), float("inf"), float("-inf")],
                ["NaN", "Infinity", "-Infinity"],
            ),
            ((1, (2,)), [1, [2]]),
            ({"c": Colour.RED}, {"c": "red"}),
            (10**100, 10**100),
            (1 << 5000, "<integer of 5001 bits>"),
        ],
    )
    def test_what_becomes_of_it(self, value: Any, cleaned: Any) -> None:
        assert clean_json(value, max_bytes=1000) == cleaned

    def test_the_original_is_left_alone(self) -> None:
        inner = ["\x00"]
        value = {"a": inner}
        assert clean_json(value, max_bytes=100) is not value
        assert inner == ["\x00"]

    @pytest.mark.parametrize(
        "value",
        [datetime(2030, 1, 1, tzinfo=UTC), Decimal(1), b"x", {1, 2}, object(), {1: "a"}, 1j],
    )
    def test_other_types_are_refused(self, value: Any) -> None:
        with pytest.raises(NotJSON) as caught:
            clean_json({"deep": [value]}, max_bytes=1000)
        assert isinstance(caught.value, TypeError)
        assert isinstance(caught.value, PermanentError)

    @pytest.mark.parametrize(
        "value",
        [
            "x" * 200,
            ["x"] * 200,
            {str(n): n for n in range(50)},
            {"k" * 200: 1},
            "\ud83d\ude00" * 20,
            "\x01" * 50,
            [[]] * 60,
        ],
    )
    def test_too_large(self, value: Any) -> None:
        with pytest.raises(NotStorable, match="larger than 100 bytes as JSON"):
            clean_json(value, max_bytes=100)

    def test_too_deep(self) -> None:
        value: list[Any] = []
        for _ in range(100_000):
            value = [value]
        with pytest.raises(NotStorable, match="deeper than 50 levels"):
            clean_json(value, max_bytes=10_000_000)

    def test_a_structure_that_holds_itself(self) -> None:
        value: dict[str, Any] = {}
        value["self"] = value
        with pytest.raises(NotStorable):
            clean_json(value, max_bytes=10_000)

    def test_a_small_structure_that_unfolds_to_gigabytes(self) -> None:
        value: list[Any] = ["x"]
        for _ in range(40):
            value = [value] * 10
        with pytest.raises(NotStorable):
            clean_json(value, max_bytes=100_000)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | anything,
            lambda inner: st.lists(inner) | st.dictionaries(anything, inner),
        )
    )
    def test_it_is_json_that_fits_and_stays_as_it_is(self, value: Any) -> None:
        try:
            cleaned = clean_json(value, max_bytes=2_000)
        except NotStorable:
            return
        written = json.dumps(cleaned, allow_nan=False)
        assert len(written) <= 2_000
        assert "\\u0000" not in written.replace("\\\\", "")
        assert json.loads(written) == cleaned
        assert clean_json(cleaned, max_bytes=10_000) == cleaned


class TestVisible:
    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            ("Release notes", "Release notes"),
            ("  two\n lines ", "two lines"),
            ("", ""),
            (" \t\n", ""),
            ("\u200b\u200d\ufeff", ""),
            ("\u3000\u3164\u2800", ""),
            ("\u202e\u2066", ""),
            ("\u202eevil\u202c", "evil"),
            ("שלום", "שלום"),
            ("bell\x07", "bell\ufffd"),
        ],
    )
    def test_what_can_be_seen_of_it(self, value: str, shown: str) -> None:
        assert visible(value) == shown

    @given(anything)
    def test_it_never_turns_what_stands_around_it(self, value: str) -> None:
        assert not set(visible(value)) & set(
            "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\n"
        )
