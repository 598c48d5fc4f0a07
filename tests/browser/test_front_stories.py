"""An outage as a person meets it: from the front page to a running retry."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from retry.models import Operation
from tests.factories.entries import SourceFactory
from tests.support.browser import Visitor
from tests.support.outages import add_history, add_outage

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]

Visit = Callable[..., Visitor]


def test_from_login_to_a_running_retry_in_three_clicks(visit: Visit, chief: "User") -> None:
    add_history()
    add_outage(SourceFactory.create(slug="demo"))
    page = visit(chief).page
    page.get_by_text("HTTP 503").first.wait_for()
    clicks = 0
    page.locator("#do-1-503").click()
    clicks += 1
    page.get_by_role("button", name="Retry").first.click()
    clicks += 1
    page.wait_for_url("**/retry/operation/**/change/")
    assert clicks <= 3
    operation = Operation.objects.get()
    assert (operation.action, operation.total) == ("retry", 30)


def test_what_was_opened_stays_open_and_focus_stays_where_it_is(
    visit: Visit, chief: "User"
) -> None:
    add_history()
    page = visit(chief).page
    page.get_by_text("As a table").click()
    page.locator("#strip-failed").focus()
    page.evaluate("document.querySelector('#desk').dataset.old = 'yes'")
    page.locator("#desk:not([data-old])").wait_for(timeout=10_000)
    assert page.locator("#plot-table").get_attribute("open") is not None
    assert page.evaluate("document.activeElement.id") == "strip-failed"


@pytest.mark.parametrize("width", [360, 1440])
def test_it_fits_and_each_bar_has_words(visit: Visit, chief: "User", width: int) -> None:
    add_history()
    add_outage(SourceFactory.create(slug="demo", name="x" * 200))
    page = visit(chief, viewport={"width": width, "height": 800}).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    bars = page.locator("svg.plot a")
    assert bars.count() == 24
    assert "failed" in (bars.last.get_attribute("aria-label") or "")
    box = bars.last.bounding_box()
    assert box is not None
    assert box["height"] > 50
