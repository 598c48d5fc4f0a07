"""A number in the search is the id of an entry; an operation over that list means the same."""

import pytest

from entries.filters import EntryFilter
from entries.lists import pages, windows
from entries.models import Entry
from retry.admin.entries.admin import RetryEntryAdmin
from tests.admin.browsing import ENTRIES, Browser, text_of
from tests.admin.operating import PREVIEW
from tests.factories.entries import EntryFactory

pytestmark = pytest.mark.django_db


def found(browser: Browser, text: str) -> set[int]:
    page = browser.get(ENTRIES, {"q": text})
    assert page.status_code == 200
    shown = {entry.pk for entry in page.context["cl"].result_list}
    meant = Entry.objects.filter(EntryFilter(q=text.strip()).condition())
    assert shown == set(meant.values_list("pk", flat=True)), "an operation means what is shown"
    return shown


def test_a_number_with_its_mark_finds_that_entry_alone(at_desk: Browser) -> None:
    entry = EntryFactory.create()
    other = EntryFactory.create(title=f"about #{entry.pk}", external_id=f"x-{entry.pk}")
    assert found(at_desk, f"#{entry.pk}") == {entry.pk}
    assert found(at_desk, f"  #{entry.pk} ") == {entry.pk}
    assert found(at_desk, f"#{other.pk + 1}") == set()


def test_a_number_alone_is_an_id_or_text(at_desk: Browser) -> None:
    entry = EntryFactory.create(title="plain", external_id="plain")
    named = EntryFactory.create(title=f"chapter {entry.pk}", external_id="named")
    EntryFactory.create(title="neither", external_id="neither")
    assert found(at_desk, str(entry.pk)) == {entry.pk, named.pk}


@pytest.mark.parametrize("text", ["#", "#1x", "#" + "9" * 30, "9" * 30, "#١٢", "²", "#-1"])
def test_what_is_no_id_is_text(text: str, at_desk: Browser) -> None:
    entry = EntryFactory.create(title=f"said {text} there")
    EntryFactory.create(title="other")
    assert found(at_desk, text) == {entry.pk}


def test_a_search_that_could_not_look_at_everything_says_how_far_it_came(
    at_desk: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "WINDOW", 2)
    monkeypatch.setattr(pages, "find_by_index", lambda *_, **__: None)
    EntryFactory.create(title="needle")
    edge, needle = EntryFactory.create(title="hay"), EntryFactory.create(title="needle")
    page = at_desk.get(ENTRIES, {"q": "needle"})
    assert [entry.pk for entry in page.context["cl"].result_list] == [needle.pk]
    words = text_of(page.content.decode())
    assert "more than 1 found" in words
    assert f"searched as far as #{edge.pk}; choose more filters to search the rest" in words


def test_what_one_page_of_a_search_has_found_is_on_the_next(
    at_desk: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the index does not know it: the newest message of its group is another."""
    monkeypatch.setattr(windows, "WINDOW", 4)
    monkeypatch.setattr(RetryEntryAdmin, "list_per_page", 1)
    made = [
        EntryFactory.create(failed=True, error_message=f"order {n % 2}777", fingerprint="1-a")
        for n in range(12)
    ]
    for number, entry in ((1, made[10]), (2, made[8])):
        page = at_desk.get(f"{ENTRIES}?q=order+0777&p={number}")
        assert page.status_code == 200
        assert [shown.pk for shown in page.context["cl"].result_list] == [entry.pk]
        assert page.context["cl"].result_count == 2


def test_the_preview_says_which_entry(at_desk: Browser) -> None:
    entry = EntryFactory.create(failed=True)
    words = text_of(at_desk.read(f"{PREVIEW}?action=retry&q=%23{entry.pk}"))
    assert f"Selected: entry #{entry.pk} ." in words
    assert "1 will be retried" in words


def test_the_action_is_called_resync(at_desk: Browser) -> None:
    EntryFactory.create()
    page = at_desk.get(ENTRIES)
    labels = [label for _, label in page.context["action_form"].fields["action"].choices]
    assert labels[1:] == ["Retry selected", "Resync", "Retry now", "Stop retrying"]
