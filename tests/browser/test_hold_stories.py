"""Somebody puts a kind on hold, in a real browser, with a real dispatcher and a real worker."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from entries.models import Entry
from retry.models import Run
from tests.conftest import grant
from tests.factories.entries import EntryFactory
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


def test_a_kind_is_held_its_entry_waits_and_goes_on_when_the_hold_is_lifted(
    visit: Visit, operator: "User"
) -> None:
    entry = EntryFactory.create(failed=True, kind="scripted", title="Release 1", payload={})
    keeper = grant(operator, "retry.view_hold", "retry.manage_hold")
    page = visit(keeper).page
    page.get_by_label("Desk").get_by_role("link", name="Holds", exact=True).click()
    row = page.get_by_role("row").filter(has_text="scripted")
    row.get_by_placeholder("Reason (optional)").fill("upstream is down")
    row.get_by_role("button", name="Put on hold").click()
    expect(page.get_by_text("Kind scripted is on hold. Its work stays queued")).to_be_visible()
    expect(page.locator(".held-lines")).to_contain_text("by operator: upstream is down")
    # What a hold has kept waiting goes on behind clicks: in the queue for all the rest.
    with manage("dispatcher"), manage("worker", "default"), manage("worker", "bulk"):
        page.goto(f"/admin/entries/entry/{entry.pk}/change/")
        expect(page.locator(".on-hold")).to_contain_text("If retried now, this entry would wait")
        page.get_by_role("button", name="Retry", exact=True).click()
        expect(page.locator(".on-hold")).to_contain_text(
            "This entry waits: kind scripted is on hold."
        )
        wait_until(lambda: Run.objects.filter(dispatched_at=None).exists(), what="its job is used")
        assert Entry.objects.get().status == "queued"
        page.locator(".on-hold").get_by_role("link", name="View holds").click()
        page.get_by_role("button", name="Lift").click()
        expect(page.get_by_text("Hold on kind scripted lifted")).to_be_visible()
        expect(page.locator(".held-lines")).not_to_be_visible()
        wait_until(lambda: Entry.objects.get().status == "succeeded")
