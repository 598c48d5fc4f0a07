"""Lists by keyboard alone."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from entries.models import Entry
from tests.factories.entries import EntryFactory, SourceFactory
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


def test_j_x_r_enter_retries(visit: Visit, operator: "User") -> None:
    old = EntryFactory.create(failed=True, kind="scripted", title="Second")
    new = EntryFactory.create(failed=True, kind="scripted", title="First")
    page = visit(operator).page
    page.goto(f"{LIST}?status=failed")
    for key in "jj":
        page.keyboard.press(key)
    page.keyboard.press("x")
    expect(page.locator(".action-select").nth(1)).to_be_checked()
    page.keyboard.press("r")
    expect(page.get_by_role("dialog")).to_contain_text("Retry 1?")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert not Entry.objects.filter(status="queued").exists()
    page.keyboard.press("k")
    for key in "xr":
        page.keyboard.press(key)
    expect(page.get_by_role("dialog")).to_contain_text("Retry 2?")
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 entries queued.")).to_be_visible()
    with manage("worker", "default", "--burst") as worker:
        assert worker.wait(60) == 0, worker.output
    assert set(Entry.objects.values_list("status", flat=True)) == {"succeeded"}
    assert {old.pk, new.pk} == set(Entry.objects.values_list("pk", flat=True))


def test_enter_opens_and_a_slash_searches(visit: Visit, operator: "User") -> None:
    EntryFactory.create(title="Second")
    entry = EntryFactory.create(title="First")
    page = visit(operator).page
    page.goto(LIST)
    page.keyboard.press("/")
    page.keyboard.type("jxr?/")
    expect(page.locator("#searchbar")).to_have_value("jxr?/")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.locator("#searchbar").blur()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/{entry.pk}/change/"))


def test_the_help_opens_on_every_list_and_switches_the_keys_off(
    visit: Visit, operator: "User"
) -> None:
    SourceFactory.create()
    visitor = visit(operator)
    page = visitor.page
    page.goto("/admin/entries/source/")
    page.keyboard.press("j")
    expect(page.locator("tr.key-row")).to_have_count(1)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    expect(dialog).not_to_contain_text("Retry")
    page.get_by_label("Use these keys in this browser").uncheck()
    page.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    page.keyboard.press("?")
    expect(dialog).to_be_hidden()
    page.goto(LIST)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Use these keys in this browser").check()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def test_r_without_anything_that_can_be_retried_asks_nothing(
    visit: Visit, operator: "User"
) -> None:
    EntryFactory.create(succeeded=True)
    page = visit(operator).page
    page.goto(LIST)
    for key in "jr":
        page.keyboard.press(key)
    expect(page.locator(".action-select")).to_be_checked()
    expect(page.get_by_role("button", name="Retry 0 of 1")).to_be_disabled()
    expect(page.get_by_role("dialog")).to_be_hidden()
