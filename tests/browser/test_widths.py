"""What stays whole in narrow windows; that no page is wider than its own is held beside axe."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.browser import nasty
from tests.browser.pages import STICKING_OUT, WIDTHS
from tests.support.browser import Visitor

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]

Visit = Callable[..., Visitor]
#: Buttons whose words are broken over lines.
BROKEN = """() => [...document.querySelectorAll(".verb button")].filter((button) => {
  const words = document.createRange();
  words.selectNodeContents(button);
  return words.getClientRects().length > 1;
}).map((button) => button.textContent)"""


@pytest.mark.parametrize("width", [360, 700, 900, 1024])
def test_the_search_stays_on_lines_of_its_own(visit: Visit, chief: "User", width: int) -> None:
    for _ in range(4):
        nasty.entry()
    page = visit(chief).page
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/admin/entries/entry/?q=e")
    for part in ("#searchbar", "input[type=submit]", ".quiet"):
        box = page.locator(f"#changelist-search {part}").first.bounding_box()
        assert box is not None
        assert box["height"] < 50, part
        assert box["width"] > 50, part


def test_the_log_in_is_not_wider(visit: Visit) -> None:
    page = visit().page
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        page.goto("/admin/login/?next=/admin/" + nasty.LONG)
        assert page.evaluate(STICKING_OUT) == ""


def test_buttons_side_by_side_keep_their_words_whole(visit: Visit, chief: "User") -> None:
    nasty.entry()
    page = visit(chief).page
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto("/admin/entries/entry/export/")
    assert page.locator(".verb button").count() == 3
    assert page.evaluate(BROKEN) == []
