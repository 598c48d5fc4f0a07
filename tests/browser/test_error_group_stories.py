"""An error group from its first failure to its proof and back, with a real engine."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from entries.models import Entry
from retry.models import ErrorGroup, Operation
from retry.service import retry_entries
from tests.conftest import grant
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT
from tests.support.browser import Visitor
from tests.support.processes import manage
from tests.support.servers import wait_until

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]

Visit = Callable[..., Visitor]
BROKEN = {"do": "fail", "message": "HTTP 503 from shop.example"}


@pytest.fixture
def keeper(operator: "User") -> "User":
    names = ("retry.view_errorgroup", "retry.manage_errorgroup", "retry.view_operation")
    return grant(operator, *names)


def fail_in_worker(count: int) -> None:
    made = EntryFactory.create_batch(count, failed=True, kind="grouped", payload=BROKEN)
    retry_entries([entry.pk for entry in made], actor=SCRIPT)


def prove(page: Page) -> None:
    page.get_by_text("Fixed, prove it…").click()
    page.get_by_label("Entries that go first").fill("5")
    page.get_by_role("button", name="Prove it", exact=True).click()
    expect(page.get_by_role("heading", name="Retry 30 entries")).to_be_visible()


def open_group(page: Page) -> None:
    page.get_by_label("Desk").get_by_role("link", name="Errors").click()
    row = page.get_by_role("row").filter(has_text="RuntimeError")
    row.get_by_role("link", name="HTTP 503").click()
    expect(page.get_by_role("heading", name="RuntimeError")).to_be_visible()


def test_a_group_is_proven_fixed_only_when_it_is_and_regresses_when_it_breaks_again(
    visit: Visit, keeper: "User"
) -> None:
    page = visit(keeper, viewport={"width": 1280, "height": 900}).page
    with manage("dispatcher"), manage("worker", "default"), manage("worker", "bulk"):
        fail_in_worker(30)
        known = ErrorGroup.objects.filter(error_class="RuntimeError", failures=30)
        wait_until(known.exists, timeout=20)
        open_group(page)
        expect(page.locator("#live")).to_contain_text("open")
        page.locator(".traceback pre").first.wait_for()

        # Still broken: the canary fails, and no more.
        prove(page)
        expect(page.locator("#live")).to_contain_text("Canary: 5 of 5 failed", timeout=20_000)
        open_group(page)
        expect(page.locator(".group-proof")).to_contain_text("Paused")
        page.locator(".group-proof").get_by_role("link").click()
        page.get_by_text("Cancel…").click()
        page.get_by_role("button", name="Cancel this operation").click()
        wait_until(lambda: not ErrorGroup.objects.filter(proof__isnull=False).exists())
        assert set(Entry.objects.values_list("status", flat=True)) == {"failed"}

        # Repaired: resolved, with the operation named, while the page is looked at.
        Entry.objects.update(payload={})
        open_group(page)
        prove(page)
        open_group(page)
        expect(page.locator("#live .badge")).to_have_text("resolved", timeout=20_000)
        proven = Operation.objects.latest("created_at")
        link = page.locator("#live").get_by_role("link", name="an operation")
        expect(link).to_have_attribute("href", f"/admin/retry/operation/{proven.pk}/change/")
        expect(page.get_by_role("button", name="Reopen")).to_be_visible()

        # Broken again.
        fail_in_worker(1)
        wait_until(lambda: ErrorGroup.objects.filter(state="regressed").exists(), timeout=10)
        page.reload()
        expect(page.locator("#live")).to_contain_text("regressed")
        expect(link).to_have_attribute("href", f"/admin/retry/operation/{proven.pk}/change/")
