"""A phone: what matters is in view, and the rest is one tap away, with scripts or without."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.factories.entries import EntryFactory
from tests.support.browser import Visitor

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from playwright.sync_api import Locator

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]

Visit = Callable[..., Visitor]
PHONE = {"width": 360, "height": 740}


def find_end(part: "Locator") -> float:
    box = part.bounding_box()
    assert box is not None
    return box["y"] + box["height"]


def test_the_first_error_is_in_view(visit: Visit, chief: "User") -> None:
    EntryFactory.create_batch(3, failed=True, title="w" * 500)
    page = visit(chief, viewport=PHONE).page
    page.goto("/admin/entries/entry/?status=failed")
    # No dispatcher runs, so there is an alarm.
    expect(page.locator(".alarms")).to_be_visible()
    assert find_end(page.locator("#header")) < 90
    assert find_end(page.locator("#result_list .error-line").first) < PHONE["height"]
    page.goto("/admin/")
    assert find_end(page.locator(".headline")) < PHONE["height"] / 2


def test_alarms_are_one_line_that_opens(visit: Visit, chief: "User") -> None:
    page = visit(chief, viewport=PHONE).page
    page.goto("/admin/entries/entry/")
    alarms = page.locator(".alarms")
    words = alarms.locator("li", has_text="Start it with manage.py dispatcher.")
    expect(words).not_to_be_visible()
    closed = alarms.bounding_box()
    assert closed is not None
    assert closed["height"] < 50
    alarms.locator("summary").click()
    expect(words).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_the_navigation_is_a_menu(visit: Visit, chief: "User", *, scripts: bool) -> None:
    page = visit(chief, viewport=PHONE, java_script_enabled=scripts).page
    errors = page.get_by_role("navigation", name="Desk").get_by_role("link", name="Errors")
    expect(page.locator(".desk-nav")).not_to_be_visible()
    page.get_by_role("button", name="Menu").click()
    errors.click()
    page.wait_for_url("**/retry/errorgroup/")
    page.set_viewport_size({"width": 1024, "height": 740})
    expect(page.get_by_role("button", name="Menu")).not_to_be_visible()
    expect(errors).to_be_visible()


@pytest.mark.parametrize("address", ["entries/entry", "retry/errorgroup", "retry/run"])
def test_filters_are_one_tap_away(visit: Visit, chief: "User", address: str) -> None:
    page = visit(chief, viewport=PHONE).page
    page.goto(f"/admin/{address}/")
    filters = page.locator("#changelist-filter")
    expect(filters).not_to_be_visible()
    assert find_end(page.locator(".open-filters")) < PHONE["height"] / 2
    page.get_by_role("button", name="Filters").click()
    expect(filters).to_be_visible()
    filters.get_by_role("button", name="Close").click()
    expect(filters).not_to_be_visible()
    page.set_viewport_size({"width": 1024, "height": 740})
    expect(filters).to_be_visible()
    expect(page.locator(".open-filters")).not_to_be_visible()
