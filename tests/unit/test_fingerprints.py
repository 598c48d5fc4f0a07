"""Which failures are one group."""

import re
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from entries.fingerprints import VERSION, fingerprint, normalise, write_status

SAME = [
    ("page 17 answered HTTP 503", "page 18 answered HTTP 503"),
    ("page 404 answered 503", "page 500 answered 503"),
    ("HTTP 503 from http://a.example/x/17?…", "HTTP 503 from http://a.example/y"),
    ("HTTP 503 from http://a.example:8080/", "HTTP 503 from http://A.example:9090/"),
    (
        "timed out after 18 s fetching https://e.org/a",
        "timed out after 2.5 s fetching https://e.org/b",
    ),
    ("no such order 'A-17'", "no such order 'B-18 x'"),
    ('no field "title" in “page”', 'no field "link" in “feed”'),
    (
        "job 3f2504e0-4f89-11d3-9a0c-0305e82c3301 is gone",
        "job 00000000-0000-0000-0000-000000000000 is gone",
    ),
    ("<Page object at 0x7f12ab>", "<Page object at 0x7faabb00>"),
    ("commit da39a3ee5e6b is missing", "commit 00ff00ff00ff is missing"),
    ("upload 01HXYZABCDEFGH1234 failed", "upload 01HABCXYZDEFGH9876 failed"),
    ("no file /tmp/a1/b.txt", "no file /var/lib/c"),
    ("at 12:30:01 on 2030-01-02", "at 08:00:59 on 2031-12-24"),
    ("too many   spaces\nhere", "too many spaces here"),
    ("balance is -3", "balance is 12"),
]
APART = [
    ("page 17 answered HTTP 503", "page 17 answered HTTP 404"),
    ("page answered 503", "page answered 504"),
    ("status code: 500", "status code: 502"),
    ("Client error '404 Not Found' for url", "Client error '410 Gone' for url"),
    ("503 Server Error: busy", "502 Server Error: busy"),
    ("HTTP/1.1 503", "HTTP/1.1 429"),
    ("HTTP 503 from http://a.example/", "HTTP 503 from http://b.example/"),
    ("[Errno 111] refused", "[Errno 113] refused"),
    ("exit status 1", "exit status 137"),
    ("no such order 'A'", "no such page 'A'"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_trouble_is_one_group(one: str, other: str) -> None:
    assert fingerprint("E", one) == fingerprint("E", other)


@pytest.mark.parametrize(("one", "other"), APART)
def test_other_trouble_is_another_group(one: str, other: str) -> None:
    assert fingerprint("E", one) != fingerprint("E", other)


def test_class_and_frames_tell_groups_apart() -> None:
    keys = {
        fingerprint("KeyError", "'id'"),
        fingerprint("IndexError", "'id'"),
        fingerprint("KeyError", "'id'", frames=["shop:pay"]),
        fingerprint("KeyError", "'id'", frames=["shop:ship"]),
    }
    assert len(keys) == 4


def test_a_quoted_status_is_kept_and_the_rest_of_the_quotation_is_not() -> None:
    assert normalise("for 'page 17, HTTP 503'") == normalise("for 'page 18, HTTP 503'")
    assert normalise("for 'page 17, HTTP 503'") != normalise("for 'page 17, HTTP 404'")


def test_numbers_that_are_no_status_are_only_numbers() -> None:
    assert normalise("got 200 rows") == normalise("got 201 rows") == "got # rows"


def test_an_apostrophe_does_not_open_a_quotation() -> None:
    assert normalise("can't read, won't write") == "can't read, won't write"


anything = st.text(alphabet=st.characters(exclude_categories=()))


@given(anything, anything)
@example("", "")
@example("E", "\ud800")
def test_a_key_is_short_stable_and_versioned(error_class: str, message: str) -> None:
    key = fingerprint(error_class, message)
    assert re.fullmatch(rf"{VERSION}-[0-9a-f]{{32}}", key)
    assert len(key) <= 40
    assert key == fingerprint(error_class, message)


@given(st.integers(0), st.integers(0))
def test_ids_do_not_matter(one: int, other: int) -> None:
    assert normalise(f"entry {one} is broken") == normalise(f"entry {other} is broken")


@given(st.uuids())
def test_uuids_do_not_matter(value: UUID) -> None:
    assert normalise(f"run {value} is lost") == "run # is lost"


@given(st.text("'\"`“”:/0a.-_ @e\n", max_size=300))
def test_normalised_text_holds_no_digits_but_codes(message: str) -> None:
    assert "0" not in normalise(message)


@pytest.mark.parametrize("piece", ["a.", "'", '"', "://", "a://", "9", "0x", "/a", "1-", "a1b2-"])
def test_hostile_messages_are_quick(piece: str) -> None:
    # Quadratic time over a hundred thousand characters would be minutes, and the timeout's.
    normalise(piece * 100_000)


def test_a_status_is_written_as_people_write_it() -> None:
    shown = write_status(normalise("HTTP 503 from http://a.example/pages/17"))
    assert shown == "HTTP 503 from http://a.example/<path>"
    assert write_status("an http 99 and https 503") == "an http 99 and https 503"
