"""Fetching again what has moved, in a real browser, with real workers."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.test_stories import work
from tests.conftest import grant
from tests.factories.entries import EntryFactory
from tests.support.browser import Visitor
from tests.support.processes import manage
from tests.support.shops import Shop

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]

Visit = Callable[..., Visitor]


def test_a_link_that_moved_is_picked_up_by_resync_and_not_by_retry(
    visit: Visit, operator: "User", shop: Shop
) -> None:
    entry = shop.entry(succeeded=False, failed=True, payload={"page": "old", "do": "fail"})
    shop.has(a={"page": "new"})
    page = visit(operator).page
    page.goto(f"/admin/entries/entry/{entry.pk}/change/")
    expect(page.get_by_text("Resync fetches the input from its source first")).to_be_visible()
    page.get_by_role("button", name="Retry", exact=True).click()
    work()
    newest = page.locator(".attempts li").first
    expect(newest).to_contain_text("failed")
    expect(page.locator(".attempts li")).to_have_count(2)
    page.get_by_role("button", name="Resync", exact=True).click()
    work()
    expect(newest).to_contain_text("succeeded")  # without a reload
    expect(newest).to_contain_text("Changed in its source")
    expect(page.locator(".result")).to_contain_text('"page": "new"')


def test_everything_of_a_source_is_resynced_where_it_has_changed(
    visit: Visit, operator: "User", shop: Shop
) -> None:
    names = [f"n{number}" for number in range(6)]
    for name in names:
        shop.entry(name)
    EntryFactory.create(failed=True, title="Of no source")
    shop.has(**{name: {"page": "new" if name < "n2" else "old"} for name in names})
    page = visit(grant(operator, "retry.view_operation")).page
    page.goto(f"/admin/retry/operation/preview/?action=resync&source={shop.source.slug}")
    expect(page.get_by_text("6 will be resynced")).to_be_visible()
    page.get_by_label("Only changed entries").check()
    page.get_by_role("button", name="Resync 6 entries").click()
    with manage("dispatcher"), manage("worker", "bulk"):
        expect(page.locator(".figure-unchanged")).to_contain_text("4", timeout=30_000)
        expect(page.locator(".state")).to_contain_text("completed", timeout=30_000)
    expect(page.locator(".figure-succeeded")).to_contain_text("2")
    page.locator("#figure-unchanged").click()
    expect(page.locator("#items tbody tr")).to_have_count(4)


def test_an_automatic_retry_is_hurried_and_stopped(visit: Visit, operator: "User") -> None:
    entry = EntryFactory.create(scheduled=True, kind="scripted", payload={"do": "succeed"})
    other = EntryFactory.create(scheduled=True, kind="scripted")
    page = visit(operator).page
    page.goto(f"/admin/entries/entry/{entry.pk}/change/")
    expect(page.locator(".standing")).to_contain_text("Next attempt")
    page.get_by_role("button", name="Retry now").click()
    expect(page.get_by_text(f"Entry {entry.pk} is queued for attempt 2.")).to_be_visible()
    work()
    expect(page.locator(".standing")).to_contain_text("succeeded")
    page.goto(f"/admin/entries/entry/{other.pk}/change/")
    page.get_by_role("button", name="Stop retrying").click()
    expect(page.get_by_text("Automatic retries stopped").first).to_be_visible()
    expect(page.locator(".standing")).to_contain_text("failed")
