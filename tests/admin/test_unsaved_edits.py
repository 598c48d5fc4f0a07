"""A verb pressed on a page with edits that nobody has saved loses none of them unasked.

Retry stores them: see test_edit_and_retry.
"""

import json
from typing import TYPE_CHECKING, Any

import pytest

from entries.models import Entry
from retry.models import Run
from tests.admin.browsing import Browser, page_of, text_of
from tests.conftest import grant
from tests.factories.entries import EntryFactory, SourceFactory

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(editor: "User") -> Browser:
    return Browser(grant(editor, "entries.discard_entry"))


@pytest.fixture
def entry() -> Entry:
    return EntryFactory.create(
        failed=True,
        kind="scripted",
        title="Old",
        payload={"page": 1, "deep": [1.5, None]},
        source=SourceFactory.create(),
    )


def form_of(desk: Browser, entry: Entry) -> dict[str, Any]:
    form = desk.get(page_of(entry)).context["adminform"].form
    return {name: form[name].value() for name in ("title", "payload", "seen")}


def press(desk: Browser, entry: Entry, verb: str = "retry", **fields: Any) -> Any:
    return desk.post(page_of(entry, verb), form_of(desk, entry) | fields)


def test_the_buttons_belong_to_the_form_with_the_edits(desk: Browser, entry: Entry) -> None:
    page = desk.read(page_of(entry))
    assert f'formaction="{page_of(entry, "retry")}"' in page
    assert page.count('form="entry_form"') >= 3, "a button for Enter, the reason, the verbs"
    first = page.index('form="entry_form"')
    assert 'name="_continue"' in page[first : first + 100], "Enter in the title saves"


def test_a_reader_has_no_edits_to_lose(at_desk: Browser, entry: Entry) -> None:
    assert 'form="entry_form"' not in at_desk.read(page_of(entry))


def test_without_edits_it_is_done(desk: Browser, entry: Entry) -> None:
    answer = press(desk, entry, reason="again")
    assert answer.status_code == 302
    run = Run.objects.get()
    assert (run.entry_ids, run.reason) == ([entry.pk], "again")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "New"),
        ("title", ""),
        ("payload", '{"page": 2}'),
        ("payload", '{"page": 1.0, "deep": [1.5, null]}'),
        ("payload", "{no json"),
        ("payload", ""),
    ],
)
@pytest.mark.parametrize("verb", ["discard", "resync"])
def test_with_edits_nothing_is_done_and_nothing_is_lost(
    verb: str, field: str, value: str, desk: Browser
) -> None:
    entry = EntryFactory.create(
        failed=True,
        title="Old",
        payload={"page": 1, "deep": [1.5, None]},
        source=SourceFactory.create(),
    )
    answer = press(desk, entry, verb, **{field: value, "reason": "it moved"})
    assert answer.status_code == 200
    assert not Run.objects.exists()
    entry.refresh_from_db()
    assert (entry.status, entry.title) == ("failed", "Old")
    form = answer.context["adminform"].form
    assert form[field].value() == value
    page = answer.content.decode()
    words = text_of(page)
    assert f"Your changes are not saved, so “{verb.capitalize()}” was not done." in words
    assert 'name="without_edits"' in page
    assert 'value="it moved"' in page
    assert f'action="{page_of(entry)}"' in page, "Save saves"


def test_what_was_kept_can_be_saved(desk: Browser, entry: Entry) -> None:
    answer = press(desk, entry, "resync", title="New")
    form = answer.context["adminform"].form
    kept = {name: form[name].value() for name in ("title", "payload", "seen")}
    assert desk.post(page_of(entry), kept | {"_continue": "1"}).status_code == 302
    entry.refresh_from_db()
    assert entry.title == "New"
    assert press(desk, entry).status_code == 302
    assert Run.objects.count() == 1


def test_who_says_so_does_it_without_the_edits(desk: Browser, entry: Entry) -> None:
    answer = press(desk, entry, title="New", without_edits="1")
    assert answer.status_code == 302
    entry.refresh_from_db()
    assert (entry.status, entry.title) == ("queued", "Old")


@pytest.mark.parametrize("title", ["  spaced  ", "two\nlines", "", "tab\there"])
def test_what_a_browser_does_to_a_title_is_no_edit(title: str, desk: Browser) -> None:
    entry = EntryFactory.create(failed=True, title=title)
    sent = title.replace("\n", "")
    assert press(desk, entry, title=sent).status_code == 302
    assert Run.objects.count() == 1


def test_another_way_to_write_the_same_is_no_edit(desk: Browser, entry: Entry) -> None:
    assert press(desk, entry, payload=json.dumps(entry.payload, indent=7)).status_code == 302


def test_what_a_sync_has_stored_in_the_meantime_is_no_edit(desk: Browser, entry: Entry) -> None:
    form = form_of(desk, entry)
    Entry.objects.filter(pk=entry.pk).update(title="From the source", payload={"page": 9})
    assert desk.post(page_of(entry, "retry"), form).status_code == 302
    other = EntryFactory.create(failed=True)
    form = form_of(desk, other)
    Entry.objects.filter(pk=other.pk).update(title="From the source")
    answer = desk.post(page_of(other, "retry"), form | {"title": "Mine"})
    assert answer.status_code == 200
    assert 'value="Mine"' in answer.content.decode()
