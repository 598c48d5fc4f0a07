"""A search with qualifiers: the list, the preview and the operation find the same entries."""

from collections.abc import Sequence
from typing import Any

import pytest

from entries import lists
from entries.filters import EntryFilter
from entries.lists import BY_FAILURE, BY_ID, pages, windows
from entries.models import Entry
from tests.factories.entries import EntryFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def made() -> dict[str, Entry]:
    def fail(name: str, class_: str, message: str, **payload: object) -> Entry:
        return EntryFactory.create(
            failed=True, external_id=name, title=f"Order {name}", error_class=class_,
            error_message=message, fingerprint=f"1-{name}", payload=payload,
        )  # fmt: skip

    return {
        "a": fail("a-1", "TimedOut", "after 30 s", customer=17),
        "b": fail("b-1", "ServerError", "HTTP 503, timed out", customer=17),
        "c": fail("c-1", "ServerError", "HTTP 500", customer="18"),
        "done": EntryFactory.create(succeeded=True, external_id="A-1", title="TimedOut order"),
    }


CASES = [
    ("id:a-1", "a"),
    ("id:A-1", "done"),
    ("error:timedout", "a"),
    ('error:"timed out"', "b"),
    ("error:server", "cb"),
    ("error:server payload.customer=17", "b"),
    ("error:server Order", "cb"),
    ("order c-1", "c"),
    ('"order" "b-"', "b"),
    ("payload.customer=18", "c"),
    ('payload.customer="17"', ""),
    ("payload.customer=17 timed", "b"),
    ("error:503 error:500", ""),
    ("order error:server payload.customer=17 id:b-1", "b"),
]


def names(made: dict[str, Entry], ids: Sequence[int]) -> list[str]:
    by_id = {entry.pk: name for name, entry in made.items()}
    return [by_id[id_] for id_ in ids]


@pytest.mark.parametrize(("text", "expected"), CASES)
@pytest.mark.parametrize("window", [1, 100])
def test_what_is_found(
    text: str, expected: str, window: int, made: dict[str, Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its index as well as among the newest."""
    monkeypatch.setattr(windows, "WINDOW", window)
    wanted = ["done"] if expected == "done" else list(expected)
    everything = Entry.objects.all()
    exact = everything.filter(EntryFilter(q=text).condition())
    assert set(names(made, list(exact.values_list("pk", flat=True)))) == set(wanted)
    assert set(lists.search(everything, text)) == set(exact)
    options: dict[str, Any] = {"visible": everything, "text": text, "offset": 0, "limit": 9}
    page = lists.find_page(everything, order=BY_ID, **options)
    assert names(made, page.ids) == wanted
    ids, behind = lists.find_behind(everything, visible=everything, text=text, behind=None, limit=9)
    assert names(made, ids) == wanted
    assert behind is None
    if expected != "done":
        failed = lists.find_page(Entry.objects.failed(), order=BY_FAILURE, **options)
        assert names(made, failed.ids) == wanted


@pytest.mark.parametrize("id_text", ["id:{}", "#{}", "{}"])
def test_a_number_is_an_id(id_text: str, made: dict[str, Entry]) -> None:
    entry = made["b"]
    text = id_text.format(entry.pk)
    named = EntryFactory.create(external_id=str(entry.pk), title="named")
    wanted = {entry.pk} if text.startswith("#") else {entry.pk, named.pk}
    page = lists.find_page(
        Entry.objects.all(), visible=Entry.objects.all(), text=text, order=BY_ID, offset=0, limit=9
    )
    assert set(page.ids) == wanted


def test_without_an_index_only_the_newest_are_looked_at(
    made: dict[str, Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "WINDOW", 1)
    monkeypatch.setattr(pages, "find_by_index", lambda *_, **__: None)
    everything = Entry.objects.all()
    page = lists.find_page(
        everything, visible=everything, text="error:server", order=BY_ID, offset=0, limit=9
    )
    assert (page.ids, page.edge, page.more) == ([], made["done"].pk, True)
