"""Paths and values of payloads: what text and JSON mean, what is refused, and the words."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entries.payload_match import (
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_PATH_LENGTH,
    MAX_PATHS,
    MAX_VALUES,
    check_path,
    describe,
    format_text,
    join_pairs,
    parse_pair,
    parse_paths,
    parse_text,
    parse_value,
)

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXTS,
    st.sampled_from(
        ["17", "true", "null", '"17"', "[17]", "{}", "[[1]]", " 1", "1e999", "NaN", '"', "["]
    ),
)


def same(left: Any, right: Any) -> bool:
    """To Python 1 is True and 1.0."""
    return json.dumps(left) == json.dumps(right)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("17", (17, "17")),
        ("-0.5", (-0.5, "-0.5")),
        ("1e2", (100.0, "1e2")),
        ("true", (True, "true")),
        ("null", (None, "null")),
        ('"17"', ("17",)),
        ('""', ("",)),
        ("[17]", (17,)),
        ('[17, "18", null]', (17, "18", None)),
        ("ACME", ("ACME",)),
        ("True", ("True",)),
        ("017", ("017",)),
        ("+1", ("+1",)),
        (" 17", (" 17",)),
        ("NaN", ("NaN",)),
        ("1e999", ("1e999",)),
        ("[draft]", ("[draft]",)),
        ('"', ('"',)),
        ("a=b", ("a=b",)),
        ("ü 漢", ("ü 漢",)),
    ],
)
def test_what_a_text_means(text: str, values: Any) -> None:
    assert same(parse_text(text), values)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"a": 1}',
        "[[1]]",
        "a\0",
        '"\\u0000"',
        '"\\ud800"',
        "\ud800",
        "x" * (MAX_LENGTH + 1),
        "9" * (MAX_LENGTH + 1),
        json.dumps([1] * (MAX_VALUES + 1)),
    ],
)
def test_texts_that_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_text(text)


@pytest.mark.parametrize(
    "value", [math.inf, math.nan, [], [[1]], {}, 10**MAX_LENGTH, ["a\0"], object()]
)
def test_values_that_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_value(value)


@given(SCALARS)
def test_json_means_itself(value: Any) -> None:
    assert same(parse_value(value), [value])


@given(st.lists(SCALARS, min_size=1, max_size=4))
def test_any_values_can_be_written_as_text(values: list[Any]) -> None:
    assert same(parse_text(format_text(tuple(values))), values)


@given(TEXTS)
def test_any_text_is_parsed_or_refused_and_comes_back(text: str) -> None:
    try:
        values = parse_text(text)
    except ValueError:
        return
    assert same(parse_text(format_text(values)), values)


@pytest.mark.parametrize("path", ["a", "links.0.href", "-1", "a b", "ü", "a=b", "'", "%s", "\\"])
def test_paths(path: str) -> None:
    assert check_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "a.",
        ".a",
        "a..b",
        "a\0",
        "a\nb",
        "a\ud800",
        "x" * (MAX_PATH_LENGTH + 1),
        ".".join("a" * (MAX_DEPTH + 1)),
    ],
)
def test_paths_that_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        check_path(path)


def test_a_pair_is_split_at_its_first_sign() -> None:
    assert same(parse_pair(" customer = 17 "), ["customer", [17, "17"]])
    assert parse_pair("note=a=b") == ("note", ("a=b",))
    assert parse_pair('note=" a "') == ("note", (" a ",))
    for text in ("customer", "customer=", "=17", "a..b=1"):
        with pytest.raises(ValueError, match=r"."):
            parse_pair(text)


def test_a_path_is_given_once_and_there_are_not_too_many() -> None:
    assert join_pairs([("a", (1,)), ("b", (2,))]) == {"a": (1,), "b": (2,)}
    with pytest.raises(ValueError, match="more than once"):
        join_pairs([("a", (1,)), ("a", (2,))])
    with pytest.raises(ValueError, match="paths"):
        parse_paths({f"p{number}": 1 for number in range(MAX_PATHS + 1)})


def test_words_do_not_show_secrets() -> None:
    assert describe("customer", (17, "17")) == "customer = 17"
    assert describe("customer", (17,)) == "customer = [17]"
    assert describe("customer", ("17",)) == 'customer = "17"'
    assert describe("customer", (17, 18)) == "customer = [17, 18]"
    assert describe("auth.token", ("hunter2",)) == "auth.token = ***"
    assert describe("url", ("http://u:p@page.example/",)) == "url = http://***@page.example/"
