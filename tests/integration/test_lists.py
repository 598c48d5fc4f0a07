"""Lists and searches of entries find what looking at each entry would find, or say how far."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import pytest
from django.db import connection

from entries import lists
from entries.filters import EntryFilter
from entries.lists import BY_FAILURE, BY_ID, ListPage, counts, pages, windows
from entries.models import Entry, EntryQuerySet
from tests.factories.entries import EntryFactory, SourceFactory

pytestmark = pytest.mark.django_db(transaction=True)

LETTERS = "abAB ä%_\\'1§"


@pytest.fixture(autouse=True)
def small_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a large table: most entries are not among the newest."""
    monkeypatch.setattr(windows, "WINDOW", 4)


@pytest.fixture
def no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """No index answers within the budget."""
    monkeypatch.setattr(pages, "find_by_index", lambda *_, **__: None)


def make_entries(random: Random, count: int = 40) -> list[Entry]:
    def text(longest: int) -> str:
        return "".join(random.choices(LETTERS, k=random.randint(1, longest)))

    sources = [SourceFactory.create() for _ in range(2)]
    return [
        EntryFactory.create(
            failed=n % 3 == 0,
            source=random.choice(sources),
            external_id=f"{text(8)}-{n}",
            title=text(12),
            # A group each: of a group only the newest message is looked at.
            **({"error_message": text(12), "fingerprint": f"1-{n}"} if n % 3 == 0 else {}),
        )
        for n in range(count)
    ]


def brute_force(text: str, found: EntryQuerySet, order: Sequence[str]) -> list[int]:
    condition = EntryFilter(q=text).condition()
    return list(found.filter(condition).order_by(*order).values_list("pk", flat=True))


def find_page(found: EntryQuerySet, **options: Any) -> ListPage:
    """For somebody who may see every entry."""
    return lists.find_page(found, visible=Entry.objects.all(), **options)


def turn_pages(
    found: EntryQuerySet, text: str, limit: int, *, visible: EntryQuerySet | None = None
) -> Iterator[int]:
    if visible is None:
        visible = Entry.objects.all()
    behind = None
    while True:
        ids, behind = lists.find_behind(
            found, visible=visible, text=text, behind=behind, limit=limit
        )
        assert len(ids) <= limit
        yield from ids
        if behind is None:
            return


@pytest.mark.parametrize("seed", range(5))
def test_a_search_finds_what_looking_at_each_would_find(seed: int) -> None:
    random = Random(seed)
    entries = make_entries(random)
    everything = Entry.objects.all()
    for _ in range(30):
        shown = random.choice([entry.title or entry.external_id for entry in entries])
        start = random.randrange(len(shown))
        text = shown[start : start + random.randint(1, 5)].strip() or "a"
        text = random.choice([text, text.upper(), text.lower(), text + "zz", str(entries[9].pk)])
        for found, order in ((everything, BY_ID), (Entry.objects.failed(), BY_FAILURE)):
            expected = brute_force(text, found, order.sorting)
            listing = find_page(found, text=text, order=order, offset=0, limit=100)
            if listing.edge is None:
                assert (list(listing.ids), listing.more) == (expected, False), text
            else:
                assert len(text) < 3, "no index knows a shorter text"
                assert set(listing.ids) <= set(expected)
                assert listing.more
        assert list(turn_pages(everything, text, 3)) == brute_force(text, everything, ["-pk"])


@pytest.mark.parametrize("seed", range(5))
def test_pages_of_a_search_miss_nothing_and_repeat_nothing(seed: int) -> None:
    """Where the index knows one message of a group, and the newest entries have others."""
    random = Random(seed)
    for n in range(25):
        EntryFactory.create(
            failed=True,
            title=random.choice(["order", "none"]),
            error_message=f"order {random.randint(1, 4)}00",
            fingerprint=f"1-{n % 3}",
        )
    for text in ("order 100", "order 2", "order", "300"):
        for found, order in ((Entry.objects.all(), BY_ID), (Entry.objects.failed(), BY_FAILURE)):
            whole = find_page(found, text=text, order=order, offset=0, limit=100)
            expected = brute_force(text, found, order.sorting)
            newest = list(found.order_by(*order.sorting).values_list("pk", flat=True)[:4])
            named = set(found.filter(title__contains=text).values_list("pk", flat=True))
            assert list(whole.ids) == [id_ for id_ in expected if id_ in set(whole.ids)]
            assert set(whole.ids) >= named | set(newest).intersection(expected)
            shown: list[int] = []
            for number in range(len(whole.ids) // 2 + 1):
                shown += find_page(found, text=text, order=order, offset=number * 2, limit=2).ids
            assert shown == list(whole.ids), text
        by_keyset = list(turn_pages(Entry.objects.all(), text, 2))
        expected = brute_force(text, Entry.objects.all(), ["-pk"])
        assert by_keyset == [id_ for id_ in expected if id_ in set(by_keyset)]
        assert set(by_keyset) >= named


def test_what_the_newest_have_stays_found_where_the_index_does_not_know_it() -> None:
    for n in range(6):
        EntryFactory.create(failed=True, error_message=f"other {n}", fingerprint="1-o")
    wanted = EntryFactory.create(failed=True, error_message="order 1234", fingerprint="1-a")
    EntryFactory.create(failed=True, error_message="order 1235", fingerprint="1-a")
    waits = EntryFactory.create(scheduled=True, error_message="needle")
    for found, order in ((Entry.objects.all(), BY_ID), (Entry.objects.failed(), BY_FAILURE)):
        page = find_page(found, text="order 1234", order=order, offset=0, limit=9)
        assert page == ListPage(ids=[wanted.pk], count=1)
    assert list(turn_pages(Entry.objects.all(), "order 1234", 9)) == [wanted.pk]
    assert list(turn_pages(Entry.objects.all(), "needle", 9)) == [waits.pk]


def test_a_frequent_text_fills_its_page_from_the_newest(no_time: None) -> None:
    ids = [EntryFactory.create(title="needle").pk for _ in range(7)][::-1]

    def page(offset: int) -> ListPage:
        return find_page(Entry.objects.all(), text="needle", order=BY_ID, offset=offset, limit=2)

    assert page(0) == ListPage(ids=ids[:2], count=4, more=True)
    assert page(2) == ListPage(ids=ids[2:4], count=4, more=True, edge=ids[3])
    assert list(turn_pages(Entry.objects.all(), "needle", 2)) == ids


def test_without_time_a_search_says_how_far_it_came(no_time: None) -> None:
    old = EntryFactory.create(title="needle")
    entries = [EntryFactory.create(title="hay") for _ in range(5)]
    new = EntryFactory.create(title="needle")
    listing = find_page(Entry.objects.all(), text="needle", order=BY_ID, offset=0, limit=9)
    assert listing == ListPage(ids=[new.pk], count=1, more=True, edge=entries[2].pk)
    assert list(turn_pages(Entry.objects.all(), "needle", 9)) == [new.pk, old.pk]


def test_without_time_a_list_shows_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [EntryFactory.create(title=str(n)) for n in range(8)]
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION pg_temp.slow() RETURNS boolean LANGUAGE sql VOLATILE"
            " AS 'SELECT pg_sleep(0.05) IS NOT NULL'"
        )
    monkeypatch.setattr(pages, "BUDGET_SECONDS", 0.3)
    monkeypatch.setattr(counts, "BUDGET_SECONDS", 0.3)
    slow = Entry.objects.extra(where=["pg_temp.slow()"])
    newest = [entry.pk for entry in entries[:3:-1]]
    listing = find_page(slow, order=BY_ID, offset=0, limit=20)
    assert listing == ListPage(ids=newest, count=4, more=True, edge=entries[4].pk)
    assert list(turn_pages(slow, "", 20)) == [entry.pk for entry in entries[::-1]]
    assert lists.count(slow, visible=Entry.objects.all()) == (4, True)


def test_a_page_in_the_middle_and_one_beyond_the_end() -> None:
    ids = [EntryFactory.create().pk for _ in range(7)][::-1]

    def page(offset: int) -> ListPage:
        return find_page(Entry.objects.all(), order=BY_ID, offset=offset, limit=3)

    assert page(3) == ListPage(ids=ids[3:6], count=7)
    assert page(6) == ListPage(ids=ids[6:], count=7)
    assert page(9) == ListPage(ids=[], count=7)
