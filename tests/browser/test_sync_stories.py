"""Syncs in a real browser, with a real dispatcher and a real worker."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from entries.models import Entry
from retry.models import Sync
from tests.support.browser import Visitor
from tests.support.processes import manage
from tests.support.syncing import now_has, numbered, synced

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]

Visit = Callable[..., Visitor]


def test_a_dry_run_is_read_and_the_sync_is_watched_to_its_end(
    visit: Visit, operator: "User", tmp_path: Path
) -> None:
    source = numbered(1_000)
    synced(source)
    wait = {"wait_at": 1_100, "ledger": str(tmp_path / "ledger"), "wait_for": str(tmp_path / "go")}
    now_has(source, **{"from": 11, "to": 1_500, "changed_every": 100, "known_invalid": "x", **wait})
    page = visit(operator).page
    with manage("dispatcher"), manage("worker", "sync"):
        page.goto(f"/admin/entries/source/{source.pk}/change/")
        page.get_by_role("button", name="Dry run").click()
        expect(page.get_by_role("heading", name="Dry run of Numbers")).to_be_visible()
        expect(page.locator(".figure-unchanged b")).not_to_have_text("0", timeout=20_000)
        expect(page.get_by_text("Nothing is changed")).to_be_visible()
        (tmp_path / "go").touch()
        expect(page.get_by_text("This is what a sync would have done")).to_be_visible()
        expect(page.locator(".figure-gone b")).to_have_text("10")
        expect(page.get_by_role("row", name="item-300")).to_contain_text("revision")
        expect(page.get_by_text("1 item left out: not a row")).to_be_visible()
        assert Entry.objects.count() == 1_000
        page.get_by_role("button", name="Sync now").click()
        expect(page.get_by_role("heading", name="Sync of Numbers")).to_be_visible()
        expect(page.get_by_text("Done.")).to_be_visible(timeout=20_000)
        expect(page.locator(".figure-created b")).to_have_text("500")
        expect(page.locator("#announcement")).to_contain_text("succeeded")
    assert Entry.objects.count() == 1_500
    page.get_by_role("link", name="All syncs of this source").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(3)
    assert set(Sync.objects.values_list("state", flat=True)) == {"succeeded"}
    page.goto("/admin/entries/entry/?gone=yes")
    expect(page.locator("#result_list .badge-gone")).to_have_count(10)
