"""Lists that the index answers alone, without a look at the entries."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from entries import lists
from entries.filters import EntryFilter
from entries.lists import BY_ID, counts
from entries.models import Entry, EntryQuerySet, IndexBacklog
from entries.states import EntryStatus
from tests.factories.entries import EntryFactory, SourceFactory

pytestmark = pytest.mark.django_db


def visible() -> EntryQuerySet:
    found: EntryQuerySet = Entry.objects.all()
    return found


def make() -> list[int]:
    """Make entries; returns the ids of those that all filters find, the newest first."""
    source = SourceFactory.create(slug="planet")
    wanted = [
        EntryFactory.create(kind="page", upstream="a.example", source=source).pk for _ in range(5)
    ]
    EntryFactory.create(kind="noop", source=source)
    EntryFactory.create()
    return wanted[::-1]


@pytest.mark.parametrize(
    "chosen",
    [
        EntryFilter(source="planet", kind="page"),
        EntryFilter(source="planet", upstream="a.example"),
        EntryFilter(kind="page", upstream="a.example"),
    ],
)
def test_pages_are_those_of_the_entries(chosen: EntryFilter) -> None:
    wanted = make()
    options: dict[str, Any] = {
        "visible": visible(),
        "indexed": lists.find_alone(chosen, visible=visible()),
    }
    found = lists.narrow(visible(), chosen)
    with CaptureQueriesContext(connection) as queries:
        page = lists.find_page(found, order=BY_ID, offset=0, limit=2, **options)
        first, behind = lists.find_behind(found, behind=None, limit=3, **options)
        rest, end = lists.find_behind(found, behind=behind, limit=3, **options)
    assert (page.ids, page.count, page.more) == (wanted[:2], 5, False)
    assert [*first, *rest] == wanted
    assert end is None
    assert not [q for q in queries if '"entries_entry"' in q["sql"]]


@pytest.mark.parametrize(
    "chosen",
    [
        EntryFilter(),
        EntryFilter(source="planet", status=EntryStatus.PENDING),
        EntryFilter(source="planet", error_class="ValueError"),
        EntryFilter(source="planet", q="x"),
        EntryFilter(source="", kind=""),
    ],
)
def test_what_only_entries_know_is_left_to_them(chosen: EntryFilter) -> None:
    assert lists.find_alone(chosen, visible=visible()) is None


def test_what_is_hidden_or_not_indexed_is_left_to_the_entries() -> None:
    chosen = EntryFilter(kind="page")
    assert lists.find_alone(chosen, visible=visible().filter(source=None)) is None
    assert lists.find_alone(chosen, visible=visible().none()) is None
    assert lists.find_alone(chosen, visible=visible()) is not None
    IndexBacklog.objects.create(last_id=9)
    assert lists.find_alone(chosen, visible=visible()) is None


def test_there_is_a_next_page_even_where_counting_stopped_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make()
    monkeypatch.setattr(counts, "MOST", 1)
    page = lists.find_page(visible(), visible=visible(), order=BY_ID, offset=2, limit=2)
    assert (page.count, page.more) == (5, True)
