"""Saved views and counts beside filters, in a real browser."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from entries.filters import EntryFilter
from retry import service
from retry.admin.entries import views
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT
from tests.support.browser import Visitor

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]

Visit = Callable[..., Visitor]
LIST = "/admin/entries/entry/"


def test_a_view_is_saved_counted_live_renamed_and_deleted(
    visit: Visit, chief: "User", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "_SECONDS", 1)
    EntryFactory.create(failed=True)
    page = visit(chief).page
    page.goto(f"{LIST}?status=failed")
    page.get_by_text("Save this view").click()
    page.get_by_label("Name").fill("Broken")
    page.get_by_label("Share with everyone").check()
    page.get_by_role("button", name="Save", exact=True).click()
    nav = page.get_by_role("navigation", name="Saved views")
    link = nav.get_by_role("link")
    expect(link).to_have_attribute("aria-current", "page")
    expect(link).to_contain_text("1")
    page.evaluate("window.sameDocument = true")
    EntryFactory.create(failed=True)
    expect(link).to_contain_text("2")
    assert page.evaluate("window.sameDocument") is True
    page.get_by_text("Change this view").click()
    page.get_by_label("Name").fill("Very broken")
    page.get_by_role("button", name="Rename").click()
    expect(link).to_contain_text("Very broken")
    page.goto(LIST)
    expect(page.locator(".chip")).to_have_count(0)
    link.click()
    expect(page.locator(".chip")).to_contain_text("status failed")
    page.get_by_text("Change this view").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("The view was deleted.")).to_be_visible()
    expect(nav.get_by_role("link")).to_have_count(0)


def test_filters_have_counts_once_they_are_in_view(visit: Visit, operator: "User") -> None:
    EntryFactory.create_batch(2, failed=True)
    EntryFactory.create(succeeded=True)
    page = visit(operator).page
    page.goto(LIST)
    item = page.locator("#changelist-filter li").filter(
        has=page.get_by_role("link", name="failed", exact=True)
    )
    expect(item.locator(".facet")).to_have_text("2")


def test_views_fit_a_phone(visit: Visit, operator: "User") -> None:
    for name in ("A", "W" * 60, "ä ö"):
        service.save_view(name, EntryFilter(q=name), actor=SCRIPT)
    page = visit(operator, viewport={"width": 360, "height": 800}).page
    page.goto(f"{LIST}?status=failed")
    expect(page.locator(".view-count").first).to_have_text("0")
    page.get_by_text("Save this view").click()
    expect(page.get_by_label("Name")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
