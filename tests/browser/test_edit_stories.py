"""Edit and retry, in a real browser with a real worker."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from entries.models import Entry
from retry.models import AuditEvent, Run
from tests.conftest import grant
from tests.factories.entries import EntryFactory
from tests.support.browser import Visitor
from tests.support.processes import manage

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]
Visit = Callable[..., Visitor]


@pytest.fixture
def editor(operator: "User") -> "User":
    return grant(operator, "entries.change_entry", "entries.discard_entry")


@pytest.fixture
def entry() -> Entry:
    payload: dict[str, Any] = {"do": "fail", "message": "it broke"}
    return EntryFactory.create(failed=True, kind="scripted", title="Order 7", payload=payload)


def work() -> None:
    """A worker takes what is queued and goes."""
    with manage("worker", "default", "--burst") as worker:
        assert worker.wait(60) == 0, worker.output


def opened(visitor: Visitor, entry: Entry) -> Page:
    page = visitor.page
    page.goto(f"/admin/entries/entry/{entry.pk}/change/")
    return page


def test_the_edited_payload_runs(visit: Visit, editor: "User", entry: Entry) -> None:
    page = opened(visit(editor), entry)
    retry = page.locator(".standing").get_by_role("button", name="Retry", exact=True)
    expect(retry).to_be_visible()
    page.get_by_role("link", name="Edit and retry").click()
    page.get_by_label("Payload").fill('{"do": "succeed"}')
    expect(retry).to_have_count(0)  # it says now what it will do
    page.locator(".standing").get_by_role("button", name="Save and retry").click()
    said = f"Entry {entry.pk} is queued for attempt 2. Your changes are saved."
    expect(page.get_by_text(said)).to_be_visible()
    work()
    expect(page.locator(".standing")).to_contain_text("succeeded")
    first = page.locator(".attempts > li").first
    expect(first).to_contain_text("Edited before this attempt")
    expect(first.locator("del").first).to_have_text('"fail"')
    expect(first.locator("ins").first).to_have_text('"succeed"')
    stored = Entry.objects.get()
    assert (stored.payload, stored.result) == (
        {"do": "succeed"},
        {"did": "succeed", "attempt": 2},
    )
    event = AuditEvent.objects.get(verb="edit_and_retry")
    assert event.after is not None
    assert event.after["payload"] == {"do": "succeed"}


def test_the_button_below_the_form_does_it_too(visit: Visit, editor: "User", entry: Entry) -> None:
    page = opened(visit(editor, java_script_enabled=False), entry)
    page.get_by_label("Payload").fill('{"do": "succeed"}')
    page.locator(".edit-retry").get_by_role("button", name="Save and retry").click()
    expect(page.get_by_text("Your changes are saved.")).to_be_visible()
    assert Entry.objects.get().payload == {"do": "succeed"}


def test_a_payload_that_the_kind_refuses_is_refused_with_words(
    visit: Visit, editor: "User"
) -> None:
    entry = EntryFactory.create(failed=True, payload={"url": "https://page.example/"})
    page = opened(visit(editor), entry)
    page.get_by_label("Payload").fill('{"url": "page.example"}')
    page.locator(".standing").get_by_role("button", name="Save and retry").click()
    expect(page.get_by_text("The kind page refuses this payload")).to_be_visible()
    expect(page.get_by_label("Payload")).to_have_value('{"url": "page.example"}')
    assert not Run.objects.exists()
    standing = page.locator(".standing")
    expect(standing).to_contain_text("“Retry” was not done. Your changes are kept")
    page.get_by_label("Leave my changes out").check()
    expect(standing.get_by_role("button", name="Retry", exact=True)).to_be_visible()
    page.get_by_label("Leave my changes out").uncheck()
    page.get_by_label("Payload").fill('{"url": "https://page.example/2"}')
    page.locator(".standing").get_by_role("button", name="Save and retry").click()
    expect(page.get_by_text("Your changes are saved.")).to_be_visible()
    assert Entry.objects.get().payload == {"url": "https://page.example/2"}


def test_leaving_with_an_edited_payload_asks_first(
    visit: Visit, editor: "User", entry: Entry
) -> None:
    visitor = visit(editor)
    page = opened(visitor, entry)
    asked: list[str] = []

    def stay(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.get_by_label("Payload").fill('{"do": "succeed"}')
    page.get_by_role("link", name="Next failed").click(no_wait_after=True)
    expect(page.get_by_label("Payload")).to_have_value('{"do": "succeed"}')
    page.get_by_role("button", name="Discard").click(no_wait_after=True)
    expect(page.get_by_label("Payload")).to_have_value('{"do": "succeed"}')
    assert asked == ["beforeunload", "confirm"]
    assert Entry.objects.get().status == "failed"
    page.get_by_label("Payload").fill(page.get_by_label("Payload").evaluate("f => f.defaultValue"))
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_text(f"Entry {entry.pk} is discarded.")).to_be_visible()
    assert asked == ["beforeunload", "confirm"]
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text(f"Entry {entry.pk} is restored: it is failed.")).to_be_visible()


def test_a_traceback_is_copied_whole(visit: Visit, editor: "User", entry: Entry) -> None:
    frame = '  File "{}", line 1, in f\n    f()\n'
    text = (
        "Traceback (most recent call last):\n"
        + frame.format("/srv/shop/orders.py")
        + frame.format("/usr/lib/python3.12/json/decoder.py")
        + "KeyError: '<b>x</b>'\n"
    )
    entry.attempts.update(traceback=text)
    visitor = visit(editor, permissions=["clipboard-read", "clipboard-write"])
    page = opened(visitor, entry)
    expect(page.get_by_text("1 frame of libraries")).to_be_visible()
    expect(page.get_by_text("decoder.py")).to_be_hidden()
    page.get_by_role("button", name="Copy traceback").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == text
