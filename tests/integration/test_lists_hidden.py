"""What somebody may not see changes nothing in the lists, searches and counts that they get."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from entries import lists
from entries.lists import BY_FAILURE, BY_ID, Order, counts, pages, windows
from entries.models import Entry, EntryQuerySet, Source
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.hiding import only_source

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def small_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "WINDOW", 4)


@pytest.fixture
def mine() -> Source:
    source: Source = SourceFactory.create(slug="mine")
    return source


@pytest.fixture
def visible(reader: "User", mine: Source) -> Iterator[EntryQuerySet]:
    """What somebody sees who sees one source only."""
    with only_source("mine"):
        yield Entry.objects.visible_to(reader)


def look(visible: EntryQuerySet, text: str = "", order: Order = BY_ID) -> list[object]:
    """All that the reader learns: a numbered page, and ids and cursors of those by keyset."""
    options: dict[str, Any] = {"visible": visible, "text": text, "limit": 9}
    found = visible.failed() if order is BY_FAILURE else visible
    learnt: list[object] = [lists.find_page(found, order=order, offset=0, **options)]
    behind = None
    while True:
        ids, behind = lists.find_behind(found, behind=behind, **options)
        learnt.append((list(ids), behind))
        if behind is None:
            return learnt


def test_is_neither_found_nor_counted(visible: EntryQuerySet, mine: Source) -> None:
    shown = EntryFactory.create(failed=True, title="needle", source=mine, fingerprint="1-a")
    EntryFactory.create_batch(6, failed=True, title="needle", fingerprint="1-a")
    page = lists.ListPage(ids=[shown.pk], count=1)
    for text in ("needle", ""):
        assert look(visible, text, BY_FAILURE) == [page, ([shown.pk], None)]
    assert lists.count(visible, visible=visible) == (1, False)


@pytest.mark.parametrize("order", [BY_ID, BY_FAILURE], ids=["by id", "by failure"])
@pytest.mark.parametrize("number", [1, 6])
def test_moves_no_edge_and_no_page(
    number: int, order: Order, visible: EntryQuerySet, mine: Source
) -> None:
    """Two letters: no index knows the text, so that the newest are looked at."""
    for n in range(number):
        EntryFactory.create(failed=True, source=mine, title="ne" if n == 1 else "other")
        EntryFactory.create(failed=True, title="ne")
    before = look(visible, "ne", order)
    EntryFactory.create_batch(8, failed=True, title="ne")
    assert look(visible, "ne", order) == before
    page = before[0]
    assert isinstance(page, lists.ListPage)
    assert page.more == (number > 4)
    assert (page.edge is not None) == page.more
    assert page.edge is None or visible.filter(pk=page.edge).exists()


def test_moves_no_edge_where_there_is_no_time(
    visible: EntryQuerySet, mine: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "BUDGET_SECONDS", 0.2)
    monkeypatch.setattr(counts, "BUDGET_SECONDS", 0.2)
    own = [EntryFactory.create(source=mine).pk for _ in range(5)]
    EntryFactory.create_batch(5)
    # Slower than the budget for five entries, and faster for the newest four.
    slow = visible.extra(where=["pg_sleep(0.045) IS NOT NULL"])
    assert isinstance(slow, EntryQuerySet)
    page = lists.find_page(slow, visible=visible, order=BY_ID, offset=0, limit=9)
    assert page == lists.ListPage(ids=own[:0:-1], count=4, more=True, edge=own[1])
    assert lists.count(slow, visible=visible) == (4, True)


def test_does_not_decide_which_messages_are_found(visible: EntryQuerySet, mine: Source) -> None:
    shown = EntryFactory.create(
        failed=True, source=mine, error_message="alpha beta", fingerprint="1-a"
    )
    EntryFactory.create_batch(5, failed=True, source=mine, error_message="other", fingerprint="1-b")
    EntryFactory.create_batch(6, failed=True, error_message="alpha gamma", fingerprint="1-a")
    for text in ("alpha", "beta"):
        for order in (BY_ID, BY_FAILURE):
            page = lists.ListPage(ids=[shown.pk], count=1)
            assert look(visible, text, order) == [page, ([shown.pk], None)]
    assert look(visible, "gamma")[0] == lists.ListPage(ids=[], count=0)


def test_nobody_else_finds_anything(powerless: "User") -> None:
    EntryFactory.create_batch(6, failed=True, error_message="alpha", fingerprint="1-a")
    nothing = Entry.objects.visible_to(powerless)
    for text in ("", "alpha", "al"):
        assert look(nothing, text, BY_FAILURE) == [lists.ListPage(ids=[], count=0), ([], None)]


def test_any_condition_may_hide(visible: EntryQuerySet, mine: Source) -> None:
    """With percent signs and quotes of its own, too."""
    shown = EntryFactory.create(
        failed=True, source=mine, external_id="50%", error_message="alpha", fingerprint="1-a"
    )
    EntryFactory.create_batch(6, failed=True, source=mine, error_message="x", fingerprint="1-a")
    narrower = visible.extra(where=["external_id LIKE '5%%'"])
    assert isinstance(narrower, EntryQuerySet)
    assert look(narrower, "alpha")[1] == ([shown.pk], None)
