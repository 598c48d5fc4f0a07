"""Operations in a real browser, with a real dispatcher and a real worker."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from playwright.sync_api import Page, expect

from entries.admin import EntryAdmin
from retry.models import AuditEvent, Operation
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
XSS = "<script>window.pwned = true</script>"


@pytest.fixture
def foreman(operator: "User") -> "User":
    return grant(operator, "retry.view_operation", "entries.discard_entry")


def failed(count: int, *, kind: str = "grouped", **payload: Any) -> list[int]:
    made = EntryFactory.create_batch(count, failed=True, kind=kind, payload=payload)
    return [entry.pk for entry in made]


def figure(page: Page, name: str) -> Any:
    return page.locator(f".figure-{name} b")


def engine() -> tuple[Any, Any]:
    return manage("dispatcher"), manage("worker", "bulk")


def counted() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT status, count(*) FROM entries_entry GROUP BY status")
        return dict(cursor.fetchall())


def choose_all(page: Page) -> None:
    """Filter for what has failed, tick the page, and then all pages."""
    page.goto("/admin/entries/entry/?status=failed")
    page.locator("#action-toggle").check()
    page.get_by_role("button", name="Select all").click()


def test_all_that_failed_is_chosen_previewed_started_held_and_finished(
    visit: Visit, foreman: "User", monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(EntryAdmin, "list_per_page", 20)
    gate = tmp_path / "gate"
    failed(40)
    failed(10, do="fail")
    failed(10, kind="patient", wait_for=str(gate))
    EntryFactory.create_batch(3, succeeded=True)
    page = visit(foreman).page
    choose_all(page)
    expect(page.get_by_text("All 60 selected")).to_be_visible()
    page.get_by_placeholder("Reason (optional)").fill("upstream is back")
    page.get_by_role("button", name="Retry all…").click()
    expect(page.get_by_text("status failed")).to_be_visible()
    expect(page.locator(".counted")).to_contain_text("60 will be retried")
    expect(page.get_by_label("Reason")).to_have_value("upstream is back")
    page.get_by_role("button", name="Retry 60 entries").click()
    expect(page.get_by_role("heading", name="Retry 60 entries")).to_be_visible()
    expect(figure(page, "planned")).to_have_text("60")
    page.evaluate("window.sameDocument = true")
    dispatcher, worker = engine()
    with dispatcher, worker:
        # The runs of the patient ones are first to wait; what is behind them waits too.
        expect(figure(page, "running")).not_to_have_text("0", timeout=30_000)
        assert page.evaluate("window.sameDocument") is True, "without a reload"
        page.get_by_role("button", name="Pause").click()
        expect(page.locator(".state-paused")).to_contain_text("Paused by a user.")
        expect(page.get_by_role("button", name="Pause")).to_have_count(0)
        page.get_by_role("button", name="Resume").click()
        expect(page.get_by_text("Resumed.")).to_be_visible()
        page.evaluate("window.sameDocument = true")
        gate.touch()
        expect(page.locator(".state-completed")).to_be_visible(timeout=60_000)
    assert page.evaluate("window.sameDocument") is True, "without a reload"
    expect(page.locator("#live[hx-get]")).to_have_count(0)
    expect(page.locator("#announcement")).to_have_text("The operation is completed.")
    assert counted() == {"succeeded": 53, "failed": 10}
    expect(figure(page, "succeeded")).to_have_text("50")
    expect(figure(page, "failed")).to_have_text("10")
    expect(page.locator(".groups")).to_contain_text("RuntimeError it broke")
    expect(page.locator("#items .badge-planned")).to_have_count(0)
    verbs = AuditEvent.objects.order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["start_retry", "pause", "resume"]
    page.get_by_role("link", name="Retry what failed").click()
    expect(page.locator(".counted")).to_contain_text("10 will be retried")


def test_a_canary_that_fails_is_announced_without_a_reload(visit: Visit, foreman: "User") -> None:
    failed(10, do="fail")
    failed(30)
    page = visit(foreman).page
    page.goto("/admin/retry/operation/preview/?action=retry&status=failed")
    page.get_by_label("Canary").fill("10")
    page.get_by_role("button", name="Retry 40 entries").click()
    page.evaluate("window.sameDocument = true")
    dispatcher, worker = engine()
    with dispatcher, worker:
        why = page.locator(".state-paused")
        expect(why).to_contain_text("Canary: 10 of 10 failed, limit 10%", timeout=30_000)
        expect(page.get_by_role("button", name="Resume")).to_be_visible()
        assert page.evaluate("window.sameDocument") is True
        page.get_by_text("Cancel…").click()
        page.get_by_role("button", name="Cancel this operation").click()
        expect(page.locator(".state-cancelled")).to_contain_text("have their earlier status")
    expect(figure(page, "cancelled")).to_have_text("30")
    assert counted() == {"failed": 40}


def test_a_second_click_starts_nothing_twice(visit: Visit, foreman: "User") -> None:
    failed(3)
    page = visit(foreman).page
    page.goto("/admin/retry/operation/preview/?action=retry&status=failed")
    page.get_by_role("button", name="Retry 3 entries").dblclick()
    expect(page.get_by_role("heading", name="Retry 3 entries")).to_be_visible()
    assert Operation.objects.count() == 1
    page.go_back()
    expect(
        page.get_by_text("The same operation is already under way. operator requested it")
    ).to_be_visible()
    page.get_by_role("link", name="View operation").click()
    expect(page.get_by_role("heading", name="Retry 3 entries")).to_be_visible()


def test_operations_work_without_scripts(
    visit: Visit, foreman: "User", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EntryAdmin, "list_per_page", 2)
    failed(3)
    page = visit(foreman, java_script_enabled=False).page
    page.goto("/admin/entries/entry/?status=failed")
    page.get_by_role("link", name="Retry all that match").click()
    page.get_by_role("button", name="Retry 3 entries").click()
    page.get_by_text("Cancel…").click()
    page.get_by_role("button", name="Cancel this operation").click()
    expect(page.locator(".state")).to_contain_text("cancelled")
    page.get_by_role("link", name="Reload").click()
    expect(figure(page, "cancelled")).to_have_text("3")


def test_markup_in_reason_and_selection_is_text(visit: Visit, foreman: "User") -> None:
    failed(2, do="fail", message=XSS)
    EntryFactory.create(failed=True, title=XSS, kind="grouped")
    page = visit(foreman).page
    page.goto(f"/admin/retry/operation/preview/?action=retry&q={XSS}&reason={XSS}")
    expect(page.locator(".sample")).to_contain_text(XSS)
    page.get_by_role("button", name="Retry 1 entry").click()
    expect(page.locator(".standing")).to_contain_text(XSS)
    page.goto("/admin/retry/operation/")
    expect(page.locator("#result_list")).to_contain_text(XSS)
    assert page.evaluate("window.pwned") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(scheme: str, visit: Visit, foreman: "User") -> None:
    title = "A title that is long enough to wrap in every list there is " * 3
    EntryFactory.create_batch(3, failed=True, kind="grouped", title=title)
    phone = {"width": 390, "height": 800}
    page = visit(foreman, viewport=phone, color_scheme=scheme).page
    page.goto(f"/admin/retry/operation/preview/?action=retry&q={title[:80]}&reason={title}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, "preview"
    page.get_by_role("button", name="Retry 3 entries").click()
    expect(page.locator(".figures")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, "operation"
    page.goto("/admin/retry/operation/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, "list"
