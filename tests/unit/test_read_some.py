"""Reading only some items of a source, as a resync does."""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import pytest

from entries.errors import SourceError
from entries.sources.base import (
    NOT_SEEN,
    Invalid,
    Note,
    Reading,
    SourceItem,
    SourceKind,
    SourceSpec,
)

SPEC = SourceSpec("some", "somewhere", etag='"1"', last_modified="Mon, 01 Jan 2024 00:00:00 GMT")


def item(external_id: str, title: str = "") -> SourceItem:
    return SourceItem(external_id, title, {"id": external_id})


class Listed(SourceKind):
    name: ClassVar[str] = "listed"

    def __init__(self, *rows: SourceItem | Invalid | Note | SourceError) -> None:
        self.rows = rows
        self.specs: list[SourceSpec] = []
        self.handed_out = 0

    def read(self, spec: SourceSpec) -> Reading:
        self.specs.append(spec)
        return Reading(self._items())

    def _items(self) -> Iterator[SourceItem | Invalid | Note]:
        for row in self.rows:
            self.handed_out += 1
            if isinstance(row, SourceError):
                raise row
            yield row


def test_only_those_asked_for_are_given_and_nothing_is_read_beyond_them() -> None:
    kind = Listed(item("a"), Invalid("without an id"), item("b"), item("c"), item("d"))
    assert list(kind.read_some(SPEC, {"a", "c"})) == [item("a"), item("c")]
    assert kind.handed_out == 4


def test_the_source_is_read_without_validators() -> None:
    kind = Listed(item("a"))
    assert list(kind.read_some(SPEC, ["a"])) == [item("a")]
    assert kind.specs == [replace(SPEC, etag="", last_modified="")]


def test_who_does_not_come_is_gone() -> None:
    kind = Listed(item("a"), item("b"))
    assert list(kind.read_some(SPEC, {"gone", "b"})) == [item("b")]


@pytest.mark.parametrize("row", [Invalid("not a row"), Note("a page is missing", partial=True)])
def test_who_does_not_come_in_half_a_reading_is_not_known_to_be_gone(row: Invalid | Note) -> None:
    kind = Listed(item("a"), row, item("b"))
    missing = Invalid(NOT_SEEN, external_id="c")
    assert list(kind.read_some(SPEC, {"b", "c"})) == [item("b"), missing]
    assert list(kind.read_some(SPEC, {"b"})) == [item("b")]


def test_a_row_with_an_id_alone_says_that_it_is_there() -> None:
    row = Invalid("not a row", external_id="a")
    assert list(Listed(row, item("b")).read_some(SPEC, {"a", "c"})) == [row]


def test_nobody_asked_for_means_nothing_read() -> None:
    kind = Listed(item("a"))
    assert list(kind.read_some(SPEC, ())) == []
    assert kind.specs == []


def test_the_first_of_an_id_counts_as_in_a_sync() -> None:
    kind = Listed(item("a", "first"), item("a", "second"), item("b"))
    assert list(kind.read_some(SPEC, {"a", "b"})) == [item("a", "first"), item("b")]


def test_ids_are_compared_as_they_are_stored() -> None:
    (found,) = Listed(item("a\0b")).read_some(SPEC, {"a\ufffdb"})
    assert found.external_id == "a\ufffdb"


def test_an_error_half_way_is_an_error() -> None:
    kind = Listed(item("a"), SourceError("malformed", "broken"), item("b"))
    found = kind.read_some(SPEC, {"a", "b"})
    assert next(found) == item("a")
    with pytest.raises(SourceError, match="broken"):
        next(found)


def test_a_source_that_will_not_say_makes_nothing_gone() -> None:
    class Silent(Listed):
        def read(self, spec: SourceSpec) -> Reading:
            return Reading(iter(()), not_modified=True)

    with pytest.raises(SourceError) as caught:
        list(Silent().read_some(SPEC, {"a"}))
    assert caught.value.code == "not_modified"
