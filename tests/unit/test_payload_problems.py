"""What kinds say against payloads before they are stored."""

from collections.abc import Mapping
from typing import Any

import pytest

from entries.kinds.base import AttemptData, EntryData, Kind
from entries.kinds.problems import find_payload_problems
from entries.kinds.registry import KINDS, register

pytestmark = pytest.mark.usefixtures("own_registries")


class Odd(Kind):
    """Says what the payload tells it to."""

    name = "odd"

    def process(self, entry: EntryData, attempt: AttemptData) -> Mapping[str, Any] | None:
        return None

    def problems_with(self, payload: Mapping[str, Any]) -> Any:
        return payload["say"]


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        ({"url": "https://example.com/a"}, None),
        ({"url": " http://[2001:db8::1]:8080/ ", "more": 1}, None),
        ({}, 'the payload has no "url"'),
        ({"url": 17}, 'the payload has no "url"'),
        ({"url": "example.com"}, "only absolute http and https URLs"),
        ({"url": "ftp://example.com/"}, "only absolute http and https URLs"),
        ({"url": "http://example.com:99999/"}, "not a valid URL"),
    ],
)
def test_a_page_needs_an_address(payload: dict[str, Any], problem: str | None) -> None:
    found = find_payload_problems("page", payload)
    assert len(found) == (problem is not None)
    assert not problem or problem in found[0]


def test_what_is_refused_does_not_repeat_a_password() -> None:
    assert "tiger" not in str(find_payload_problems("page", {"url": "http://me:tiger@x:99999/"}))


@pytest.mark.parametrize("endpoint", ["billing", "a-b_C9", None])
def test_a_webhook_names_an_endpoint_or_none(endpoint: str | None) -> None:
    assert find_payload_problems("webhook", {"endpoint": endpoint, "n": 1}) == []
    assert find_payload_problems("webhook", {"n": 1}) == []


@pytest.mark.parametrize("endpoint", ["", "no slug", "bücher", 17, ["billing"], "x" * 81])
def test_a_webhook_refuses_what_is_no_slug(endpoint: object) -> None:
    (found,) = find_payload_problems("webhook", {"endpoint": endpoint})
    assert "must be the slug of an endpoint" in found


def test_a_kind_that_says_nothing_refuses_nothing() -> None:
    class Silent(Odd):
        name = "silent"
        problems_with = Kind.problems_with

    register(Silent)
    assert find_payload_problems("silent", {}) == []
    assert find_payload_problems("not-installed", {}) == []


def test_a_kind_with_a_mistake_refuses_and_says_so() -> None:
    register(Odd)
    assert find_payload_problems("odd", {}) == ["the kind odd cannot check it: KeyError: 'say'"]
    (found,) = find_payload_problems("odd", {"say": 17})
    assert "returned int" in found
    (found,) = find_payload_problems("odd", {"say": "a text"})
    assert "returned str" in found


def test_what_it_says_is_bounded() -> None:
    register(Odd)
    found = find_payload_problems("odd", {"say": ["x" * 9_000, "a\nb", *["more"] * 90]})
    assert len(found) == 10
    assert (len(found[0]), found[1]) == (300, "a b")


def test_it_must_be_a_method() -> None:
    broken = type("Broken", (Odd,), {"problems_with": ["nothing"]})
    assert KINDS.find_problems(broken) == ["problems_with must be a method"]
