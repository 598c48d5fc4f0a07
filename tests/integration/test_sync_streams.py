"""Duplicates however far apart, large payloads, and memory that does not grow."""

import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from entries.models import Entry, Source
from entries.sources import registry
from entries.sources.base import Invalid, Reading, SourceItem, SourceKind, SourceSpec
from entries.sources.sync.report import SyncProgress
from tests.factories.entries import SourceFactory
from tests.support.registries import restored_registries
from tests.support.syncing import counts, gone_ids, numbered, sync, temporary_tables

pytestmark = pytest.mark.django_db(transaction=True)
Items = Callable[[], Iterator[SourceItem | Invalid]]


@pytest.fixture
def source() -> Iterator[Source]:
    with restored_registries():
        registry.register(Told)
        yield SourceFactory.create(kind="told")


class Told(SourceKind):
    """Has what a test tells it."""

    name = "told"
    items: Items

    def read(self, spec: SourceSpec) -> Reading:
        return Reading(type(self).items())


def has(*items: SourceItem | Invalid) -> None:
    Told.items = staticmethod(lambda: iter(items))


def item(name: str, **payload: Any) -> SourceItem:
    return SourceItem(name, f"Item {name}", payload)


def test_the_first_counts_however_far_away_the_second_is(source: Source) -> None:
    rest = [item(f"{n}") for n in range(2_500)]
    has(item("same", at="first"), *rest, item("same", at="last"), item("same", at="once more"))
    report = sync(source)
    assert counts(report) == (2_501, 0, 0, 0, 2)
    assert report.notes == ("2 items left out: the id is repeated; the first item counts",)
    assert Entry.objects.get(external_id="same").payload == {"at": "first"}
    assert counts(sync(source)) == (0, 0, 2_501, 0, 2)


def test_what_cannot_be_stored_any_more_is_not_gone(source: Source) -> None:
    has(item("a"), item("b"))
    sync(source)
    has(item("a", odd=object()), item("c"))
    assert counts(sync(source)) == (1, 0, 0, 1, 1)
    assert gone_ids() == ["b"], "the source has a, if in a form that cannot be stored"


def test_one_that_comes_again_in_a_form_that_can_be_stored_is_stored(source: Source) -> None:
    rest = [item(f"{n}") for n in range(1_500)]
    has(item("a", odd=object()), *rest, item("a", fine=True), item("a", fine="twice"))
    assert counts(sync(source)) == (1_501, 0, 0, 0, 2)
    assert Entry.objects.get(external_id="a").payload == {"fine": True}


def test_a_source_that_goes_on_forever_would_be_read_in_the_same_memory() -> None:
    source = numbered(12_000)
    peaks: list[int] = []

    def measure(_: SyncProgress) -> None:
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.reset_peak()

    tracemalloc.start()
    try:
        sync(source, on_batch=measure)
    finally:
        tracemalloc.stop()
    assert len(peaks) == 12
    assert max(peaks[6:]) < 1.2 * max(peaks[1:6])
    assert temporary_tables() == []


def test_the_iterator_is_closed_when_it_is_left(source: Source) -> None:
    closed: list[bool] = []

    def reading() -> Iterator[SourceItem | Invalid]:
        try:
            for n in range(5_000):
                yield item(f"{n}")
        finally:
            closed.append(True)

    def leave(_: SyncProgress) -> None:
        raise InterruptedError

    Told.items = staticmethod(reading)
    with pytest.raises(InterruptedError):
        sync(source, on_batch=leave)
    assert closed == [True]


def test_secrets_in_a_sample_are_masked_and_values_bounded(source: Source) -> None:
    has(item("a", password="old-secret", text="x"))
    sync(source)
    has(item("a", password="new-secret", text="y" * 5_000))
    report = sync(source, dry_run=True)
    changes = {change["key"]: change for change in report.sample[0]["changes"]}
    assert "secret" not in str(changes["password"])
    assert len(changes["text"]["after"]) == 200
