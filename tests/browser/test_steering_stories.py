"""A retry without one error group, watched in another tab, and the notification at its end."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from entries.models import Entry
from retry.models import Operation
from tests.admin.operating import step
from tests.conftest import grant
from tests.factories.entries import EntryFactory
from tests.support.browser import Visitor
from tests.support.servers import wait_until

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]
Visit = Callable[..., Visitor]

#: The outside world: what the browser would show on the desktop.
_NOTICES = """
window.notices = [];
window.Notification = class {
  static requestPermission() { window.asked = true; return Promise.resolve("granted"); }
  constructor(title, options) { window.notices.push([title, options.body]); }
};
"""


@pytest.fixture
def foreman(operator: "User") -> "User":
    return grant(operator, "retry.view_operation")


def test_a_group_is_left_out_and_the_end_is_told(visit: Visit, foreman: "User") -> None:
    fields = {"failed": True, "kind": "grouped"}
    EntryFactory.create_batch(6, fingerprint="1-a", error_message="HTTP 503", **fields)
    EntryFactory.create_batch(4, fingerprint="1-b", error_message="HTTP 404", **fields)
    page = visit(foreman).page
    page.add_init_script(_NOTICES)
    page.goto("/admin/retry/operation/preview/?action=retry&status=failed")
    expect(page.get_by_role("button", name="Retry 10 entries")).to_be_visible()
    page.get_by_label("HTTP 404").uncheck()
    expect(page.locator(".counted")).to_contain_text("6 will be retried")
    page.get_by_label("Entries per second").fill("0.1")
    page.get_by_label("Entries per second").blur()
    expect(page.locator(".forecast")).to_have_text("About 60 s at 0.1/s.")
    page.get_by_label("Entries per second").fill("")
    page.get_by_label("Entries per second").blur()
    expect(page.locator(".forecast")).to_have_count(0)
    page.get_by_label("Ramp").fill("2, rest")
    page.get_by_role("button", name="Retry 6 entries").click()
    expect(page).to_have_title("0 % · Retry 6 | Redrive")
    assert page.evaluate("window.asked") is None, "asked on a click only"
    page.get_by_role("button", name="Notify me when it ends").click()
    expect(page.get_by_role("button", name="You will be notified")).to_be_disabled()
    step()
    expect(page).to_have_title("33 % · Retry 6 | Redrive")
    expect(page.locator("#live")).to_contain_text("2, rest")
    step()
    step()
    expect(page.locator(".state-completed")).to_be_visible()
    expect(page).to_have_title("Done · Retry 6 | Redrive")
    notices = [["Done · Retry 6", "6 succeeded, 0 failed."]]
    wait_until(lambda: page.evaluate("window.notices") == notices)
    expect(page.locator("svg.timeline polygon.area-succeeded")).to_have_count(1)
    assert Operation.objects.get().total == 6
    assert Entry.objects.filter(fingerprint="1-b", status="failed").count() == 4
