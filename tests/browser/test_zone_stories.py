"""Two people in two zones, each with a browser that knows where it is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from retry.models import Hold
from tests.factories.entries import EntryFactory
from tests.support.browser import Visitor
from tests.support.moments import change_status_at
from tests.support.servers import wait_until

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]

Visit = Callable[..., Visitor]


def test_a_hold_ends_on_the_day_on_which_the_clocks_change(visit: Visit, chief: "User") -> None:
    berlin = visit(chief, timezone_id="Europe/Berlin").page
    berlin.goto("/admin/retry/hold/")
    row = berlin.locator("tr", has_text="page").first
    assert row.locator(".zone").inner_text() == "Europe/Berlin"
    row.locator("input[name=ends_at]").fill("2099-03-29T03:30")
    row.get_by_role("button", name="Put on hold").click()
    berlin.locator(".waits", has_text="until 2099-03-29 03:30 CEST").wait_for()
    assert Hold.objects.get().ends_at == datetime(2099, 3, 29, 1, 30, tzinfo=UTC)

    new_york = visit(chief, timezone_id="America/New_York").page
    new_york.goto("/admin/retry/hold/")
    new_york.locator(".waits", has_text="until 2099-03-28 21:30 EDT").wait_for()


def test_how_long_ago_stays_true_without_a_reload(visit: Visit, chief: "User") -> None:
    entry = EntryFactory.create(failed=True)
    change_status_at(entry, timezone.now() - timedelta(seconds=30))
    page = visit(chief, timezone_id="Asia/Tokyo").page
    page.goto(f"/admin/entries/entry/{entry.pk}/change/")
    shown = page.locator(".entry-facts time.ago")
    before = shown.inner_text()
    assert before.endswith(" s ago")
    wait_until(lambda: shown.inner_text() != before, timeout=15, what="the words change")
    assert shown.inner_text().endswith(" s ago")
