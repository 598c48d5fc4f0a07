"""Rows of lists in a real browser: a table where there is room, cards where there is none."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.browser import nasty
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.browser import Visitor

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]

Visit = Callable[..., Visitor]
FAILED = "/admin/entries/entry/?status=failed"
#: What of the table lies beyond the edge of its box.
HIDDEN = (
    "() => { const b = document.querySelector('.results'); return b.scrollWidth - b.clientWidth }"
)


@pytest.mark.parametrize("width", [360, 767])
def test_on_a_phone_a_row_is_a_card_that_shows_the_error(
    visit: Visit, chief: "User", width: int
) -> None:
    EntryFactory.create(failed=True)
    nasty.entry(source=nasty.source())
    page = visit(chief).page
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(FAILED)
    row = page.locator("#result_list tbody tr").first
    boxes = {
        name: row.locator(name).first.bounding_box()
        for name in (".field-headline", ".error-line", ".field-source", "time", ".action-select")
    }
    for name, box in boxes.items():
        assert box is not None, name
        assert box["x"] >= 0, name
        assert box["x"] + box["width"] <= width, name
        assert box["height"] < 50, f"{name} has more than two lines"
    assert page.evaluate(HIDDEN) == 0
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    page.get_by_text("Select all", exact=True).click()
    assert page.locator(".action-select:checked").count() == 2


def test_on_a_laptop_the_error_is_not_cut(visit: Visit, chief: "User") -> None:
    source = SourceFactory.create(name="The planet of feeds")
    for _ in range(3):
        EntryFactory.create(
            failed=True,
            source=source,
            kind="webhook",
            title="Article about harbours and trains in winter",
            error_class="TransientError",
            error_message="HTTP 503 from harbours.example after 3 attempts in stage ab",
        )
    nasty.entry(source=source)
    page = visit(chief).page
    page.set_viewport_size({"width": 1024, "height": 800})
    page.goto(FAILED)
    assert page.evaluate(HIDDEN) == 0
