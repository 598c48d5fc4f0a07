"""Two JSON objects compared for people."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entries.content import is_same
from entries.diffs import MOST, Diff, diff_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 2}, [Diff("a", "1", "2")]),
        ({"a": 1}, {}, [Diff("a", "1", None)]),
        ({}, {"a": None}, [Diff("a", None, "null")]),
        ({"a": {"b": "x", "c": 1}}, {"a": {"b": "y", "c": 1}}, [Diff("a.b", '"x"', '"y"')]),
        ({"a": [1, 2]}, {"a": [1, 3, 4]}, [Diff("a[1]", "2", "3"), Diff("a[2]", None, "4")]),
        ({"a": [1]}, {"a": {"b": 1}}, [Diff("a", "[1]", '{"b": 1}')]),
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": 1}, {"a": True}, [Diff("a", "1", "true")]),
        ({"a": "ü"}, {"a": "é"}, [Diff("a", '"ü"', '"é"')]),
    ],
)
def test_each_member_that_differs(before: Any, after: Any, expected: list[Diff]) -> None:
    assert diff_json(before, after) == expected


def test_secrets_are_masked_and_their_replacement_is_told() -> None:
    found = diff_json({"token": "tiger", "pin": {"a": 1}}, {"token": "lion", "pin": {"a": 2}})
    assert found == [
        Diff("token", '"***"', "*** (replaced)"),
        Diff("pin", '"***"', "*** (replaced)"),
    ]
    (moved,) = diff_json({"url": "http://a:pw@x/"}, {"url": "http://a:pw@y/"})
    assert "pw" not in f"{moved.before}{moved.after}"


def test_long_ones_are_cut_and_many_are_bounded() -> None:
    (cut,) = diff_json({"a": "x" * 900}, {"a": 1})
    assert cut.before is not None
    assert len(cut.before) == 300
    many = diff_json({str(n): 0 for n in range(900)}, {str(n): 1 for n in range(900)})
    assert len(many) == MOST


def test_time_grows_with_the_size_alone() -> None:
    began = time.process_time()
    diff_json({"a": list(range(60_000))}, {"a": list(range(1, 60_001))})
    assert time.process_time() - began < 1


@given(VALUES, VALUES)
def test_it_is_empty_where_nothing_differs_and_nowhere_else(one: Any, other: Any) -> None:
    assert diff_json(one, one) == []
    assert bool(diff_json({"x": one}, {"x": other})) != is_same(one, other)
