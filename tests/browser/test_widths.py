"""No page is wider than its window, whatever the outside world calls its things."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.contrib import admin

from tests.admin.walking import _make, addresses
from tests.browser import nasty
from tests.support.browser import Visitor

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]

Visit = Callable[..., Visitor]
WIDTHS = (360, 1024)
#: Elements that stick out of the window, for whoever has to find them.
STICKING_OUT = """() => {
  const wide = document.scrollingElement.scrollWidth - innerWidth;
  if (wide <= 0) return "";
  const out = [...document.querySelectorAll("body *")]
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
    .map((e) => e.tagName + "#" + e.id + "." + e.className).slice(0, 12);
  return `${wide} too wide: ${out.join(" ")}`;
}"""

#: Buttons whose words are broken over lines.
BROKEN = """() => [...document.querySelectorAll(".verb button")].filter((button) => {
  const words = document.createRange();
  words.selectNodeContents(button);
  return words.getClientRects().length > 1;
}).map((button) => button.textContent)"""


def pages() -> list[str]:
    """Every page that can be looked at, over the nastiest objects there are."""
    made = nasty.everything()
    for model in admin.site._registry:
        key = f"{model._meta.app_label}_{model._meta.model_name}"
        if key not in made:
            made[key] = model._default_manager.first() or _make(model)
    entry, operation = made["entries_entry"], made["retry_operation"]
    nasty.entry(queued=True, failed=False)
    preview = f"/admin/retry/operation/preview/?action=retry&source={made['entries_source'].slug}"
    listed = [
        f"/admin/entries/entry/?q={nasty.LONG[:200]}",
        f"/admin/entries/entry/?source={nasty.LONG}",
        f"/admin/entries/entry/?payload.{'k' * 150}={'v' * 400}&payload.{'w. ' * 9}w={'=' * 99}",
        f"/admin/entries/entry/?status=failed&source={made['entries_source'].slug}",
        f"/admin/entries/entry/{entry.pk}/change/?_changelist_filters=status%3Dfailed",
        f"/admin/retry/operation/{operation.pk}/change/?outcome=failed",
        f"/admin/entries/entry/outcomes/?of={entry.pk}",
        f"/admin/entries/entry/?status=failed&fingerprint={entry.fingerprint}&failed_within=24h",
        f"{preview}&reason={nasty.LONG[:500]}",
        "/admin/retry/operation/preview/?action=discard&all=true",
    ]
    return [*(address.url for address in addresses(made)), *listed]


def test_no_page_is_wider_than_its_window(visit: Visit, chief: "User") -> None:
    urls = pages()
    visitor = visit(chief)
    page = visitor.page
    wide, seen = {}, 0
    for url in urls:
        answer = page.request.get(url, max_redirects=0)
        if answer.status != 200 or "text/html" not in answer.headers.get("content-type", ""):
            continue
        if not re.search(r"<body", answer.text()):
            continue
        page.goto(url)
        seen += 1
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            if said := page.evaluate(STICKING_OUT):
                wide[f"{url[:120]} at {width}"] = said
    assert seen > 40
    assert not wide, "\n".join(f"{where}: {said}" for where, said in wide.items())
    # Whatever could not be loaded is another test's affair.
    visitor.complaints.clear()


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
