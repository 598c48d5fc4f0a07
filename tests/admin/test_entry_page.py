"""The page of one entry: what it shows, what it lets people edit, and how it keeps up to date."""

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from entries import transitions
from entries.admin.forms import EntryForm
from entries.models import Attempt, Entry
from tests.admin.browsing import ENTRIES, Browser, page_of, text_of
from tests.conftest import grant
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.asking import SCRIPT

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db


def form_of(browser: Browser, entry: Entry) -> dict[str, Any]:
    """The edit form as the browser would send it back."""
    form = browser.get(page_of(entry)).context["adminform"].form
    return {name: form[name].value() for name in form.fields}


def test_title_and_payload_can_be_edited_and_nothing_else(editor: "User") -> None:
    entry = EntryFactory.create(failed=True)
    before: dict[str, Any] = {**Entry.objects.values().get()}
    browser = Browser(editor)
    fields = form_of(browser, entry)
    assert set(fields) == {"title", "payload", "seen"}
    forged = {"status": "succeeded", "attempt": "9", "kind": "scripted", "external_id": "x"}
    new = {"title": "Mended", "payload": '{"url": "http://page.example/2"}'}
    assert browser.press(page_of(entry), **fields | forged | new)
    after: dict[str, Any] = {**Entry.objects.values().get()}
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"title", "payload", "content_hash", "updated_at"}
    assert after["payload"] == {"url": "http://page.example/2"}


def test_what_an_entry_depends_on_follows_its_payload(editor: "User") -> None:
    entry = EntryFactory.create(payload={"url": "http://page.example/1"})
    browser = Browser(editor)
    fields = form_of(browser, entry) | {"payload": '{"url": "https://other.example/"}'}
    browser.press(page_of(entry), **fields)
    assert Entry.objects.get().upstream == "other.example"
    assert "other.example" in text_of(browser.read(page_of(entry)))


def test_the_payload_is_shown_indented(editor: "User") -> None:
    entry = EntryFactory.create(payload={"url": "http://page.example/ü", "depth": {"a": 1}})
    page = Browser(editor).read(page_of(entry))
    assert '  "url": "http://page.example/ü"'.replace('"', "&quot;") in page


def test_a_transition_between_load_and_save_stays(
    editor: "User", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody retries the entry while somebody else's edit of it is being saved."""
    entry = EntryFactory.create(failed=True)
    browser = Browser(editor)
    fields = form_of(browser, entry) | {"title": "Edited"}
    clean = EntryForm.clean

    def slow_clean(form: EntryForm) -> dict[str, Any]:
        transitions.queue([entry.pk], verb="retry", run_ids=[uuid4()])
        return clean(form)

    monkeypatch.setattr(EntryForm, "clean", slow_clean)
    browser.press(page_of(entry), **fields)
    stored = Entry.objects.get()
    assert (stored.title, stored.status, stored.attempt) == ("Edited", "queued", 2)
    assert stored.run_id is not None


def test_a_sync_in_the_meantime_is_not_overwritten(editor: "User") -> None:
    entry = EntryFactory.create(payload={"url": "http://page.example/old"})
    browser = Browser(editor)
    fields = form_of(browser, entry) | {"title": "Edited"}
    Entry.objects.filter(pk=entry.pk).update(payload={"url": "http://page.example/new"})
    answer = browser.post(page_of(entry), fields)
    assert "has changed since you opened this page" in text_of(answer.content.decode())
    assert Entry.objects.get().payload == {"url": "http://page.example/new"}
    assert Entry.objects.get().title == entry.title


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ("{", "Enter a valid JSON"),
        ("[1]", "Enter a JSON object"),
        ('{"a": NaN}', "JSON or PostgreSQL cannot store"),
        ('{"a": "\\u0000"}', "JSON or PostgreSQL cannot store"),
        ('{"a": "\\ud800"}', "JSON or PostgreSQL cannot store"),
        ('{"a": %s}' % ("[" * 60 + "]" * 60), "nested deeper"),
        ('{"a": %s}' % ("[" * 20_000), "Enter a valid JSON"),
        ('{"a": %s}' % ("9" * 5_000), "Enter a valid JSON"),
        ('{"a": "%s"}' % ("x" * 300_000), "larger than"),
    ],
)
def test_a_payload_that_cannot_be_stored_says_why(payload: str, words: str, editor: "User") -> None:
    entry = EntryFactory.create()
    browser = Browser(editor)
    answer = browser.post(page_of(entry), form_of(browser, entry) | {"payload": payload})
    assert answer.status_code == 200
    assert words in text_of(answer.content.decode())
    assert Entry.objects.get().payload == entry.payload


def test_an_empty_payload_is_an_empty_object(editor: "User") -> None:
    entry = EntryFactory.create(kind="scripted")
    browser = Browser(editor)
    browser.press(page_of(entry), **form_of(browser, entry) | {"payload": ""})
    assert Entry.objects.get().payload == {}


def test_saving_without_a_change_changes_nothing(editor: "User") -> None:
    entry = EntryFactory.create(succeeded=True)
    before = Entry.objects.values().get()
    browser = Browser(editor)
    browser.press(page_of(entry), **form_of(browser, entry))
    assert Entry.objects.values().get() == before


def test_those_who_may_only_look_get_no_fields(reader: "User") -> None:
    entry = EntryFactory.create(payload={"url": "http://page.example/"})
    page = Browser(reader).read(page_of(entry))
    assert "http://page.example/" not in page, "for which there is a permission"
    page = Browser(grant(reader, "entries.view_payload")).read(page_of(entry))
    assert "<textarea" not in page
    assert "_save" not in page
    assert "http://page.example/" in page
    assert Browser(reader).post(page_of(entry), {"title": "x"}).status_code == 403


def test_changing_needs_seeing(powerless: "User") -> None:
    entry = EntryFactory.create()
    blind = Browser(grant(powerless, "entries.change_entry"))
    assert blind.get(page_of(entry)).status_code == 403
    assert blind.get(ENTRIES).status_code == 403


def test_attempts_newest_first_with_who_asked_and_the_traceback(
    at_desk: Browser, operator: "User"
) -> None:
    from retry.outcomes import Actor, Channel
    from retry.service import retry_entries

    entry = EntryFactory.create(failed=True)
    Attempt.objects.update(traceback="Traceback: line 1\n  line 2")
    actor = Actor.from_user(operator, channel=Channel.ADMIN)
    retry_entries([entry.pk], actor=actor, reason="upstream is back")
    page = at_desk.read(page_of(entry))
    words = text_of(page)
    assert words.index("2 queued") < words.index("1 failed")
    assert "retry by operator" in words
    assert "upstream is back" in words
    assert "Traceback: line 1\n  line 2</pre>" in page
    assert page.count("<summary>Traceback") == 1


def test_of_many_attempts_the_newest_are_shown(at_desk: Browser) -> None:
    entry = EntryFactory.create(succeeded=True, attempt=40)
    for number in range(1, 40):
        Attempt.objects.create(
            entry=entry,
            number=number,
            run_id="00000000-0000-0000-0000-000000000000",
            status="failed",
            previous_status="failed",
        )
    assert "The newest 25 of 40 attempts." in text_of(at_desk.read(page_of(entry)))


def test_the_result_is_shown(at_desk: Browser) -> None:
    entry = EntryFactory.create(succeeded=True, result={"title": "<b>"})
    assert "&quot;title&quot;: &quot;&lt;b&gt;&quot;" in at_desk.read(page_of(entry))


EVIL = "<script>alert('evil')</script>"


def test_whatever_comes_from_outside_is_shown_as_text(chief: "User") -> None:
    from retry.models import AuditEvent, Run
    from retry.service import retry_entries

    source = SourceFactory.create(name=EVIL, location=f"http://x/{EVIL}", last_error=EVIL)
    entry = EntryFactory.create(
        failed=True,
        source=source,
        kind="scripted",
        external_id=EVIL,
        title=EVIL,
        payload={EVIL: EVIL},
        error_class=EVIL,
        error_message=EVIL,
        fingerprint=EVIL[:40],
    )
    Attempt.objects.update(
        traceback=f"Traceback\n{EVIL}", error_class=EVIL, error_message=EVIL, worker=EVIL
    )
    other = EntryFactory.create(failed=True, kind="scripted", title=EVIL, result={EVIL: EVIL})
    retry_entries([other.pk], actor=SCRIPT, reason=EVIL)
    Run.objects.update(actor_label=EVIL, worker=EVIL, skipped_counts={EVIL: 1})
    run, event = Run.objects.get(), AuditEvent.objects.filter(reason=EVIL).get()
    pages = [
        *("/admin/", ENTRIES, f"{ENTRIES}?status=failed", f"{ENTRIES}?q={EVIL}"),
        *(page_of(entry), page_of(entry, "history"), page_of(other), f"{ENTRIES}{entry.pk}/live/"),
        *("/admin/entries/source/", page_of(source), "/admin/retry/run/", page_of(run)),
        *("/admin/retry/auditevent/", page_of(event), "/admin/retry/status/"),
    ]
    shown = 0
    for url in pages:
        page = Browser(chief).read(url)
        assert "<script>alert" not in page, url
        assert "alert('evil')" not in page, url
        shown += page.count("&lt;script&gt;")
    assert shown > len(pages)


def live(browser: Browser, entry: Entry, seen: str = "") -> Any:
    return browser.get(f"{ENTRIES}{entry.pk}/live/", {"seen": seen})


def test_a_page_at_work_polls_until_the_entry_rests(at_desk: Browser) -> None:
    entry = EntryFactory.create(failed=True, kind="scripted")
    assert "hx-trigger" not in at_desk.read(page_of(entry))
    run_id = uuid4()
    assert transitions.queue([entry.pk], verb="retry", run_ids=[run_id]) == []
    first = live(at_desk, entry)
    assert 'hx-trigger="every 2s"' in first.content.decode()
    version = first.context["live"].version
    assert live(at_desk, entry, version).status_code == 204, "nothing new, nothing to swap"
    transitions.claim([entry.pk], run_id=run_id, worker="w")
    running = live(at_desk, entry, version)
    assert "badge-running" in running.content.decode()
    assert f"Entry {entry.pk} is running." in text_of(running.content.decode())


def test_the_changing_part_is_for_those_who_may_see_entries(powerless: "User") -> None:
    assert live(Browser(powerless), EntryFactory.create()).status_code == 403


def test_the_changing_part_of_no_entry_is_not_found(at_desk: Browser) -> None:
    for object_id in ("404", "99999999999999999999", "x"):
        assert at_desk.get(f"{ENTRIES}{object_id}/live/").status_code == 404


def test_an_edit_is_in_the_history(editor: "User") -> None:
    entry = EntryFactory.create()
    browser = Browser(editor)
    payload = json.dumps({"url": "http://page.example/2"})
    browser.press(page_of(entry), **form_of(browser, entry) | {"payload": payload})
    assert "Changed payload" in text_of(browser.read(page_of(entry, "history")))
