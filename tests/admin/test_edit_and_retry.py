"""Edit and retry: what is edited runs, or it is said why not; nothing that was typed is lost."""

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from entries.content import content_hash
from entries.models import Edit, Entry
from retry import service
from retry.models import AuditEvent, Run
from tests.admin.browsing import ENTRIES, Browser, page_of, text_of
from tests.conftest import grant
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)

OLD, NEW = {"url": "http://page.example/old"}, {"url": "http://other.example/new"}


@pytest.fixture
def desk(editor: "User") -> Browser:
    return Browser(editor)


@pytest.fixture
def entry() -> Entry:
    return EntryFactory.create(failed=True, title="Old", payload=OLD)


def form_of(desk: Browser, entry: Entry) -> dict[str, Any]:
    form = desk.get(page_of(entry)).context["adminform"].form
    return {name: form[name].value() for name in ("title", "payload", "seen")}


def press(desk: Browser, entry: Entry, verb: str = "retry", **fields: Any) -> Any:
    return desk.post(page_of(entry, verb), form_of(desk, entry) | fields)


def is_untouched(entry: Entry) -> bool:
    stored = Entry.objects.get(pk=entry.pk)
    same = (stored.status, stored.title, stored.payload) == ("failed", entry.title, entry.payload)
    return same and not (Run.objects.exists() or Edit.objects.exists())


def test_the_edited_payload_is_stored_and_queued_at_once(desk: Browser, entry: Entry) -> None:
    answer = press(desk, entry, payload=json.dumps(NEW), reason="it moved")
    said = desk.messages_after(answer)
    assert said == [f"Entry {entry.pk} is queued for attempt 2. Your changes are saved."]
    stored = Entry.objects.get()
    assert (stored.status, stored.payload, stored.title) == ("queued", NEW, "Old")
    assert (stored.upstream, stored.content_hash) == ("other.example", content_hash("Old", NEW))
    assert Run.objects.get().reason == "it moved"


def test_the_audit_and_the_attempt_have_the_difference(desk: Browser, entry: Entry) -> None:
    press(desk, entry, payload=json.dumps(NEW), reason="it moved")
    event = AuditEvent.objects.get(verb="edit_and_retry")
    assert (event.before, event.after) == (
        {"status": ["failed"], "payload": OLD},
        {"status": "queued", "payload": NEW},
    )
    assert (event.entry_id, event.run_id) == (entry.pk, Run.objects.get().pk)
    kept = Edit.objects.get()
    assert (kept.attempt, kept.payload_before, kept.payload_after) == (2, OLD, NEW)
    page = text_of(desk.read(page_of(entry)))
    change = 'payload.url before: "http://page.example/old" after: "http://other.example/new"'
    assert change in page
    assert change not in page.partition("1 failed")[2], "it belongs to the second attempt"


def test_secrets_stay_masked_in_both(desk: Browser) -> None:
    entry = EntryFactory.create(failed=True, kind="scripted", payload={"token": "tiger", "n": 1})
    press(desk, entry, payload='{"token": "lion", "n": 1}')
    event = AuditEvent.objects.get(verb="edit_and_retry")
    assert "tiger" not in json.dumps([event.before, event.after])
    assert "lion" not in json.dumps([event.before, event.after])
    page = text_of(desk.read(page_of(entry)))
    assert 'payload.token before: "***" after: *** (replaced)' in page


def test_a_title_alone_can_be_edited(desk: Browser, entry: Entry) -> None:
    press(desk, entry, title="New")
    stored = Entry.objects.get()
    assert (stored.status, stored.title, stored.payload) == ("queued", "New", OLD)


def test_a_payload_that_is_not_edited_stays_to_the_last_digit(entry: Entry) -> None:
    digits = "1234567890.12345678901234567890"
    with connection.cursor() as cursor:
        cursor.execute("UPDATE entries_entry SET payload = %s", [f'{{"n": {digits}}}'])
    entry.refresh_from_db()
    seen = content_hash(entry.title, entry.payload)
    service.edit_and_retry(entry.pk, seen=seen, title="Another", actor=SCRIPT)
    with connection.cursor() as cursor:
        cursor.execute("SELECT title, payload ->> 'n' FROM entries_entry")
        assert cursor.fetchone() == ("Another", digits)


def test_what_a_browser_does_to_a_title_is_not_stored_with_the_payload(desk: Browser) -> None:
    entry = EntryFactory.create(failed=True, title="two\nlines", payload=OLD)
    press(desk, entry, title="twolines", payload=json.dumps(NEW))
    stored = Entry.objects.get()
    assert (stored.title, stored.payload) == ("two\nlines", NEW)


def test_a_scheduled_entry_does_not_wait(desk: Browser) -> None:
    entry = EntryFactory.create(scheduled=True, payload=OLD)
    press(desk, entry, "retry_now", payload=json.dumps(NEW))
    stored = Entry.objects.get()
    assert (stored.status, stored.payload) == ("queued", NEW)
    assert Run.objects.get().trigger == "retry_now"


@pytest.mark.parametrize("button", ["retry", "change"])
def test_a_payload_that_the_kind_refuses_is_refused_with_words(
    button: str, desk: Browser, entry: Entry
) -> None:
    answer = press(desk, entry, button, payload='{"url": "ftp://page.example/"}')
    assert answer.status_code == 200
    page = answer.content.decode()
    words = "The kind page refuses this payload: only absolute http and https URLs are fetched"
    assert words in text_of(page)
    assert "ftp://page.example/" in page, "what was typed is still there"
    assert is_untouched(entry)


@pytest.mark.parametrize("payload", ["{no json", "[1]", '{"a": NaN}'])
def test_what_cannot_be_stored_is_refused_with_words(
    payload: str, desk: Browser, entry: Entry
) -> None:
    answer = press(desk, entry, payload=payload)
    assert "Please correct the error below." in text_of(answer.content.decode())
    assert is_untouched(entry)


def test_an_entry_that_changed_meanwhile_is_not_overwritten(desk: Browser, entry: Entry) -> None:
    form = form_of(desk, entry)
    Entry.objects.filter(pk=entry.pk).update(payload={"url": "http://page.example/sync"})
    answer = desk.post(page_of(entry, "retry"), form | {"payload": json.dumps(NEW)})
    page = answer.content.decode()
    assert "has changed since you opened this page" in text_of(page)
    assert "http://other.example/new" in page
    assert "Leave my changes out" in page
    assert Entry.objects.get().payload == {"url": "http://page.example/sync"}
    assert not Run.objects.exists()


def test_an_entry_that_somebody_else_retried_keeps_the_edits_on_the_page(
    desk: Browser, entry: Entry
) -> None:
    form = form_of(desk, entry)
    desk.press(page_of(entry, "retry"))
    answer = desk.post(page_of(entry, "retry"), form | {"payload": json.dumps(NEW)})
    page = answer.content.decode()
    words = f"Entry {entry.pk} is queued; only failed entries can be retried."
    assert words in text_of(page)
    assert "http://other.example/new" in page
    assert Entry.objects.get().payload == OLD


def test_who_may_not_change_entries_cannot_smuggle_a_payload(
    operator: "User", entry: Entry
) -> None:
    seen = content_hash(entry.title, entry.payload)
    form = {"title": "New", "payload": json.dumps(NEW), "seen": seen}
    answer = Browser(operator).post(page_of(entry, "retry"), form)
    assert answer.status_code == 302
    stored = Entry.objects.get()
    assert (stored.status, stored.payload, stored.title) == ("queued", OLD, "Old")


def test_who_may_only_change_is_offered_no_retry(reader: "User", entry: Entry) -> None:
    browser = Browser(grant(reader, "entries.change_entry", "entries.view_payload"))
    assert "Save and retry" not in browser.read(page_of(entry))
    assert press(browser, entry, payload=json.dumps(NEW)).status_code == 403
    assert is_untouched(entry)


def test_the_page_leads_from_the_head_to_the_payload(desk: Browser, entry: Entry) -> None:
    page = desk.read(page_of(entry))
    assert 'href="#id_payload">Edit and retry</a>' in page
    assert page.count(f'formaction="{page_of(entry, "retry")}"') == 2
    done = desk.read(page_of(EntryFactory.create(succeeded=True)))
    assert "Edit and retry" not in done
    assert "Save and retry" not in done


def test_it_keeps_the_list_in_mind(desk: Browser, entry: Entry) -> None:
    query = "_changelist_filters=status%3Dfailed"
    form = form_of(desk, entry) | {"payload": json.dumps(NEW)}
    answer = desk.post(f"{page_of(entry, 'retry')}?{query}", form)
    assert answer["Location"] == f"{ENTRIES}{entry.pk}/change/?{query}"
