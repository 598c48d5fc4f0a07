"""What stands around the rows of the list of entries, in a real browser."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from entries.models import Entry
from retry import service
from tests.conftest import grant
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT
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
LIST = "/admin/entries/entry/"
PHONE = {"width": 360, "height": 800}


@pytest.fixture
def foreman(operator: "User") -> "User":
    return grant(operator, "entries.discard_entry", "retry.view_operation")


def failed(title: str, **payload: Any) -> Entry:
    return EntryFactory.create(failed=True, kind="scripted", title=title, payload=payload)


def work() -> None:
    with manage("worker", "default", "--burst") as worker:
        assert worker.wait(60) == 0, worker.output


def test_a_search_is_typed_with_a_hint_and_taken_apart_by_its_chips(
    visit: Visit, operator: "User"
) -> None:
    failed("Release notes")
    EntryFactory.create(succeeded=True, title="Release party")
    page = visit(operator).page
    page.goto(LIST)
    search = page.locator("#searchbar")
    search.press_sequentially("Release e")
    hint = page.locator(".search-hint")
    expect(hint.get_by_role("button")).to_have_count(1)
    search.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(hint).to_be_hidden()
    expect(search).to_be_focused()
    expect(search).to_have_value("Release error:")
    page.keyboard.type("503")
    expect(hint).to_be_hidden()
    search.press("Enter")
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(1)
    chips = page.locator(".chip")
    expect(chips).to_have_count(2)
    page.get_by_role("link", name="Remove the filter error 503").click()
    expect(rows).to_have_count(2)
    expect(chips).to_have_count(1)
    expect(page.locator("#searchbar")).to_have_value("Release")
    page.get_by_role("link", name="failed", exact=True).click()
    expect(chips).to_have_count(2)
    page.get_by_role("link", name="Clear all").click()
    expect(chips).to_have_count(0)
    expect(rows).to_have_count(2)


def test_verbs_say_how_many_they_fit(visit: Visit, foreman: "User") -> None:
    for number in range(3):
        failed(f"Broken {number}")
    EntryFactory.create_batch(2, discarded=True)
    page = visit(foreman).page
    page.goto(LIST)
    verbs = page.locator(".entry-verbs button[data-verb]")
    expect(verbs.first).to_be_hidden()
    for tick in page.locator(".action-select").all():
        tick.check()
    expect(page.get_by_role("button", name="Retry 3 of 5")).to_be_enabled()
    expect(page.get_by_role("button", name="Restore 2 of 5")).to_be_enabled()
    expect(page.get_by_role("button", name="Retry now 0 of 5")).to_be_disabled()
    page.locator("#action-toggle").uncheck()
    expect(verbs.first).to_be_hidden()
    page.locator("#action-toggle").check()
    expect(page.get_by_role("button", name="Retry 3 of 5")).to_be_visible()
    page.goto(f"{LIST}?status=failed")
    page.locator(".action-select").first.check()
    expect(verbs).to_have_text(["Retry 1", "Resync 0 of 1", "Discard 1"])
    page.goto(f"{LIST}?status=discarded")
    page.locator(".action-select").first.check()
    expect(verbs).to_have_text(["Restore 1"])
    page.get_by_role("button", name="Restore 1").click()
    expect(page.get_by_role("heading", name="Restore 1 entry")).to_be_visible()
    page.get_by_role("link", name="Back to the entries").click()
    expect(page.locator(".chip")).to_contain_text("status discarded")


def test_rows_update_by_themselves_and_keep_ticks_and_focus(visit: Visit, operator: "User") -> None:
    entries = [failed(f"Broken {number}") for number in range(3)]
    other = failed("At rest")
    service.retry_entries([entry.pk for entry in entries], actor=SCRIPT)
    page = visit(operator).page
    page.goto(LIST)
    page.evaluate("window.sameDocument = true")
    rows = {entry.pk: page.get_by_role("row").filter(has_text=entry.title) for entry in entries}
    for entry in entries:
        expect(rows[entry.pk]).to_contain_text("queued")
        rows[entry.pk].get_by_role("checkbox").check()
    focused = rows[entries[0].pk].get_by_role("link")
    focused.focus()
    expect(page.get_by_role("button", name="Retry 0 of 3")).to_be_disabled()
    work()
    for entry in entries:
        expect(rows[entry.pk]).to_contain_text("succeeded")
        expect(rows[entry.pk].get_by_role("checkbox")).to_be_checked()
    expect(focused).to_be_focused()
    expect(page.locator("#live-rows[hx-get]")).to_have_count(0)
    expect(page.get_by_role("row").filter(has_text=other.title)).to_contain_text("failed")
    assert page.evaluate("window.sameDocument") is True


def test_a_message_leads_to_outcomes_that_show_without_a_reload(
    visit: Visit, operator: "User"
) -> None:
    failed("Mended")
    failed("Still broken", do="fail")
    page = visit(operator).page
    page.goto(f"{LIST}?status=failed")
    page.locator("#action-toggle").check()
    page.get_by_role("button", name="Retry 2").click()
    page.get_by_role("link", name="View outcomes").click()
    expect(page.get_by_text("2 queued…")).to_be_visible()
    page.evaluate("window.sameDocument = true")
    work()
    expect(page.get_by_text("1 succeeded, 1 failed")).to_be_visible()
    expect(page.locator("#live[hx-get]")).to_have_count(0)
    assert page.evaluate("window.sameDocument") is True
    page.get_by_role("link", name="Back to the entries").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_filters_are_one_tap_away_and_verbs_at_the_bottom(
    scheme: str, visit: Visit, foreman: "User"
) -> None:
    failed("T" * 500)
    EntryFactory.create(succeeded=True)
    page = visit(foreman, viewport=PHONE, color_scheme=scheme).page
    page.goto(LIST)
    panel = page.locator("#changelist-filter")
    expect(panel).to_be_hidden()
    page.get_by_role("button", name="Filters").click()
    expect(panel).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    page.get_by_role("button", name="Filters").click()
    panel.get_by_role("link", name="failed", exact=True).click()
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    verbs = page.locator(".entry-verbs")
    expect(verbs).to_be_hidden()
    page.locator(".action-select").check()
    expect(page.get_by_role("button", name="Retry 1")).to_be_in_viewport()
    box = verbs.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] == pytest.approx(800, abs=1)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
