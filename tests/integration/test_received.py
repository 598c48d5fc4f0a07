"""Filters by when entries were received, and the ids that lists find them by."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from entries import lists
from entries.filters import EntryFilter
from entries.lists import BY_ID
from entries.lists.received import _find_first_id
from entries.models import Entry
from tests.factories.entries import EntryFactory

pytestmark = pytest.mark.django_db

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def receive(day: int) -> Entry:
    """Store an entry that was received on a day from ``BEGIN``, 0 the first."""
    entry: Entry = EntryFactory.create()
    Entry.objects.filter(pk=entry.pk).update(created_at=BEGIN + day * DAY)
    return entry


@pytest.mark.parametrize(
    ("chosen", "wanted"),
    [
        ({"received_after": BEGIN + 3 * DAY}, "345679"),
        ({"received_after": BEGIN + 3 * DAY, "received_before": BEGIN + 6 * DAY}, "345"),
        ({"received_before": BEGIN}, ""),
        ({"received_before": BEGIN + DAY}, "0"),
        ({"received_after": BEGIN + 10 * DAY}, ""),
        ({"received_within": "1h"}, ""),
    ],
)
def test_lists_and_operations_find_the_same(chosen: dict[str, Any], wanted: str) -> None:
    """With a gap in the ids, where one was never committed or was deleted."""
    made = {str(day): receive(day) for day in range(10)}
    made.pop("8").delete()
    names = {entry.pk: name for name, entry in made.items()}
    everything, filtered = Entry.objects.all(), EntryFilter(**chosen)
    page = lists.find_page(
        lists.narrow(everything, filtered), visible=everything, order=BY_ID, offset=0, limit=20
    )
    assert "".join(names[id_] for id_ in reversed(page.ids)) == wanted
    exact = everything.filter(filtered.condition()).order_by("pk")
    assert "".join(names[id_] for id_ in exact.values_list("pk", flat=True)) == wanted


def test_the_first_id_is_found_by_halves() -> None:
    assert _find_first_id(BEGIN, timedelta(0)) is None
    ids = [receive(day).pk for day in range(7)]
    Entry.objects.filter(pk__in=ids[2:4]).delete()
    for day, first in enumerate([ids[0], ids[1], ids[4], ids[4], ids[4], ids[5], ids[6]]):
        found = _find_first_id(BEGIN + day * DAY, timedelta(0))
        # Any id of the gap will do: there is no entry between.
        assert found is not None
        assert Entry.objects.filter(pk__gte=found).order_by("pk").values_list("pk")[0] == (first,)
    assert _find_first_id(BEGIN + 7 * DAY, timedelta(0)) == ids[-1] + 1


def test_an_entry_whose_transaction_began_earlier_is_found() -> None:
    late = receive(5)
    early = receive(5)
    Entry.objects.filter(pk=early.pk).update(created_at=BEGIN + 5 * DAY - timedelta(minutes=50))
    found = lists.narrow(Entry.objects.all(), EntryFilter(received_before=BEGIN + 5 * DAY))
    assert list(found) == [early]
    since = EntryFilter(received_after=BEGIN + 5 * DAY)
    assert list(lists.narrow(Entry.objects.all(), since)) == [late]


def test_the_last_hour_is_found() -> None:
    old, new = receive(0), EntryFactory.create()
    assert old.created_at <= timezone.now()
    found = lists.narrow(Entry.objects.all(), EntryFilter(received_within="1h"))
    assert list(found) == [new]
