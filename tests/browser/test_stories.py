"""What people do at the desk, in a real browser, with real workers."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from entries.models import Attempt, Entry
from retry.models import Heartbeat
from tests.browser.conftest import PASSWORD
from tests.factories.entries import EntryFactory
from tests.support.browser import Contexts, Visitor
from tests.support.processes import manage

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django.live_server_helper import LiveServer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]

Visit = Callable[..., Visitor]
SCRIPT = "<script>window.pwned = true</script>"


def failed(title: str, **payload: Any) -> Entry:
    return EntryFactory.create(failed=True, kind="scripted", title=title, payload=payload)


def work() -> None:
    """A worker takes what is queued and goes."""
    with manage("worker", "default", "--burst") as worker:
        assert worker.wait(60) == 0, worker.output


def test_somebody_logs_in(visit: Visit, operator: "User") -> None:
    operator.set_password(PASSWORD)
    operator.save()
    visit().log_in(operator.get_username(), PASSWORD)


def test_three_failed_entries_are_ticked_and_retried(visit: Visit, operator: "User") -> None:
    entries = [failed(f"Release {number}") for number in range(1, 5)]
    EntryFactory.create(succeeded=True, title="Fine already")
    page = visit(operator).page
    page.get_by_role("link", name="4 failed", exact=True).click()
    expect(page.locator("#result_list tbody tr")).to_have_count(4)
    expect(page.get_by_text("Fine already")).to_have_count(0)
    for entry in entries[:3]:
        row = page.get_by_role("row").filter(has_text=entry.title)
        row.get_by_role("checkbox").check()
    expect(page.get_by_text("3 of 4 selected")).to_be_visible()
    page.get_by_placeholder("Reason (optional)").fill("upstream is back")
    page.get_by_role("button", name="Retry 3", exact=True).click()
    expect(page.get_by_text("3 entries queued.")).to_be_visible()
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    work()
    page.goto("/admin/entries/entry/?status=succeeded&kind=scripted")
    expect(page.locator("#result_list tbody tr")).to_have_count(3)
    page.get_by_role("link", name="Release 1").click()
    attempts = page.locator(".attempts li")
    expect(attempts).to_have_count(2)
    expect(attempts.first).to_contain_text("succeeded")
    expect(attempts.first).to_contain_text("retry by operator")
    expect(attempts.first).to_contain_text("upstream is back")


def test_the_page_of_an_entry_retries_it_and_tells_when_it_is_done(
    visit: Visit, operator: "User"
) -> None:
    entry = failed("Release notes")
    page = visit(operator).page
    page.goto(f"/admin/entries/entry/{entry.pk}/change/")
    page.get_by_role("button", name="Retry", exact=True).click()
    expect(page.get_by_text(f"Entry {entry.pk} is queued for attempt 2.")).to_be_visible()
    standing = page.locator(".standing")
    expect(standing).to_contain_text("queued")
    expect(page.get_by_role("button", name="Retry", exact=True)).to_be_disabled()
    work()
    expect(standing).to_contain_text("succeeded")  # without a reload
    expect(page.locator(".attempts li")).to_have_count(2)
    expect(page.locator("#live[hx-get]")).to_have_count(0)
    expect(page.locator("#announcement")).to_have_text(f"Entry {entry.pk} is succeeded.")


def test_a_traceback_with_markup_is_text(visit: Visit, operator: "User") -> None:
    entry = failed("Odd page", do="fail", message=SCRIPT)
    Entry.objects.filter(pk=entry.pk).update(title=SCRIPT)
    visitor = visit(operator)
    page = visitor.page
    page.goto(f"/admin/entries/entry/{entry.pk}/change/")
    page.get_by_role("button", name="Retry", exact=True).click()
    work()
    expect(page.locator(".attempts > li").first).to_contain_text("failed")
    expect(page.locator(".traceback").first).to_contain_text(f"RuntimeError: {SCRIPT}")
    page.goto("/admin/entries/entry/")
    expect(page.locator("#result_list")).to_contain_text(SCRIPT)
    assert page.evaluate("window.pwned") is None
    assert "window.pwned" in Attempt.objects.get(number=2).traceback


def test_a_reader_is_offered_nothing_to_do(visit: Visit, reader: "User") -> None:
    entry = failed("Release notes")
    page = visit(reader).page
    page.goto("/admin/entries/entry/")
    expect(page.get_by_text("Release notes")).to_be_visible()
    expect(page.get_by_role("checkbox")).to_have_count(0)
    expect(page.locator("button[data-verb]")).to_have_count(0)
    page.goto(f"/admin/entries/entry/{entry.pk}/change/")
    expect(page.get_by_text("you need the permission")).to_be_visible()
    expect(page.get_by_role("button", name="Retry")).to_have_count(0)


def test_the_status_page_keeps_itself_up_to_date(visit: Visit, operator: "User") -> None:
    page = visit(operator).page
    page.get_by_role("navigation", name="Desk").get_by_role("link", name="Status").click()
    expect(page.get_by_text("has never reported")).to_be_visible()
    page.evaluate("window.sameDocument = true")
    now = timezone.now()
    Heartbeat.objects.create(
        name=Heartbeat.DISPATCHER, host="desk-1", pid=7, started_at=now, beat_at=now
    )
    failed("Release notes")
    expect(page.get_by_text("7 on desk-1")).to_be_visible()
    expect(page.get_by_role("link", name="1 failed")).to_be_visible()
    assert page.evaluate("window.sameDocument") is True


def test_a_session_that_ends_while_polling_leads_to_the_log_in(
    visit: Visit, operator: "User"
) -> None:
    visitor = visit(operator)
    visitor.page.goto("/admin/retry/status/")
    visitor.context.clear_cookies()
    expect(visitor.page.get_by_label("Username")).to_be_visible()
    expect(visitor.page.locator("#live")).to_have_count(0)


def test_the_desk_works_without_scripts(visit: Visit, operator: "User") -> None:
    entry = failed("Release notes")
    page = visit(operator, java_script_enabled=False).page
    page.goto("/admin/entries/entry/?status=failed")
    page.locator(".action-select").check()
    page.get_by_role("button", name="Retry", exact=True).click()
    expect(page.get_by_text("1 entry queued.")).to_be_visible()
    work()
    page.goto(f"/admin/entries/entry/{entry.pk}/change/")
    expect(page.locator(".standing")).to_contain_text("succeeded")
    page.goto("/admin/retry/status/")
    expect(page.get_by_role("heading", name="Queues")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(scheme: str, visit: Visit, operator: "User") -> None:
    entry = failed("A title that is long enough to wrap in every list there is " * 3)
    Attempt.objects.update(traceback="Traceback\n  " + "a long line " * 40)
    phone = {"width": 390, "height": 800}
    page = visit(operator, viewport=phone, color_scheme=scheme).page
    for url in (
        "/admin/",
        "/admin/entries/entry/?status=failed",
        f"/admin/entries/entry/{entry.pk}/change/",
        "/admin/entries/source/",
        "/admin/retry/status/",
    ):
        page.goto(url)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, url


def test_what_goes_wrong_on_a_page_is_heard(visit: Visit, operator: "User") -> None:
    """The watch that every story relies on."""
    visitor = visit(operator)
    page = visitor.page
    with (
        page.expect_event("pageerror"),
        page.expect_response("**/admin/nowhere/"),
        page.expect_console_message(lambda message: "404" in message.text),
    ):
        page.evaluate(
            """() => {
              const script = document.createElement("script");
              script.textContent = "window.pwned = true";
              document.body.append(script);
              fetch("/admin/nowhere/");
              setTimeout(() => { throw new Error("slipped"); }, 0);
            }"""
        )
    heard = "\n".join(visitor.complaints)
    visitor.complaints.clear()
    assert page.evaluate("window.pwned") is None
    for expected in ("blocked by script-src", "answer: 404", "slipped"):
        assert expected in heard


def test_nothing_is_left_of_an_earlier_visitor(
    contexts: Contexts, live_server: "LiveServer"
) -> None:
    contexts_of_both = []
    for name in ("one", "other"):
        visitor = Visitor(contexts, live_server.url)
        contexts_of_both.append(visitor.context)
        page = visitor.page
        page.goto("/admin/login/")
        assert page.evaluate("localStorage.left") is None
        assert "left" not in {cookie["name"] for cookie in visitor.context.cookies()}
        assert page.viewport_size == {"width": 1280, "height": 720}
        page.evaluate(f"localStorage.left = document.cookie = 'left={name}'")
        page.set_viewport_size({"width": 360, "height": 740})
        visitor.close()
    assert contexts_of_both[0] is contexts_of_both[1]
