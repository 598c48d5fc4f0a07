"""What any kind of source may hand out, and what is stored of it."""

import json
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from entries.errors import SourceError
from entries.models import Entry, Source
from entries.sources import registry
from entries.sources.base import Reading, SourceItem, SourceKind, SourceSpec
from entries.sources.sync.full_sync import NOT_WHOLE
from tests.support.feeds import json_feed
from tests.support.http import LocalServer
from tests.support.registries import restored_registries
from tests.support.syncing import sync

pytestmark = pytest.mark.django_db(transaction=True)


class Scripted(SourceKind):
    """A kind of source that does what a test tells it to."""

    name = "scripted"
    reading: Callable[[SourceSpec], Reading]

    def read(self, spec: SourceSpec) -> Reading:
        return type(self).reading(spec)


@pytest.fixture
def scripted(source: Source) -> Iterator[type[Scripted]]:
    with restored_registries():
        registry.register(Scripted)
        Source.objects.update(kind="scripted")
        yield Scripted


def gives(*items: SourceItem) -> Callable[[SourceSpec], Reading]:
    return lambda _: Reading(iter(items))


class TestOtherKindsOfSource:
    def test_a_mistake_in_the_kind_is_told_from_a_mistake_in_the_source(
        self, source: Source, scripted: type[Scripted]
    ) -> None:
        def broken(spec: SourceSpec) -> Reading:
            raise KeyError(spec.slug)

        scripted.reading = staticmethod(broken)
        with pytest.raises(SourceError) as caught:
            sync(source)
        assert caught.value.code == "broken_kind"
        assert source.last_error == "the source kind scripted failed with KeyError: 'news'"

    def test_items_that_cannot_be_stored_are_left_out_and_counted(
        self, source: Source, scripted: type[Scripted]
    ) -> None:
        scripted.reading = staticmethod(
            gives(
                SourceItem("1", "fine", {"a": 1}),
                SourceItem("1", "again", {}),
                SourceItem("", "no id", {}),
                SourceItem("x" * 501, "long id", {}),
                SourceItem("2", "large", {"a": "x" * 300_000}),
                SourceItem("3", "no JSON", {"a": object()}),
                SourceItem("5", "a list", cast("dict[str, Any]", [1])),
                SourceItem("4", "t" * 900, {"nan": float("nan")}),
            )
        )
        report = sync(source)
        assert report.created == 2
        assert report.notes == (
            "1 item left out: the id is longer than 500 characters",
            "1 item left out: the id is repeated; the first item counts",
            "1 item left out: the payload cannot be stored: larger than 262,144 bytes as JSON",
            "1 item left out: the payload cannot be stored: object is not JSON",
            "1 item left out: the payload is not a JSON object",
            "1 item left out: without an id",
            NOT_WHOLE,
        )
        stored = Entry.objects.get(external_id="4")
        assert (len(stored.title), stored.payload) == (500, {"nan": "NaN"})

    def test_validators_of_another_location_are_not_kept(
        self, source: Source, scripted: type[Scripted]
    ) -> None:
        def moved(_: SourceSpec) -> Reading:
            Source.objects.update(location="https://elsewhere.example/")
            return Reading(iter(()), etag='"old"')

        scripted.reading = staticmethod(moved)
        sync(source)
        assert Source.objects.get().etag == ""


def test_what_postgresql_cannot_store_arrives_as_something_it_can(
    server: LocalServer, source: Source
) -> None:
    item = {
        "id": "nul\x00 and \ud800",
        "title": "<script>\x00\udfff\x1b[31m",
        "url": "http://n.example/\x00",
        "summary": "\x00" * 10,
    }
    server.answer("/feed", json_feed([item]))
    assert sync(source).created == 1
    entry = Entry.objects.get()
    assert entry.external_id == "nul\ufffd and \ufffd"
    assert entry.title == "<script>\ufffd\ufffd\ufffd[31m"
    assert "\\u0000" not in json.dumps(entry.payload)
    assert sync(source).unchanged == 1
