"""Every page passes axe, for screen readers and weak eyes, on wide and narrow screens."""

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.pages import HTML, list_pages
from tests.support.browser import Visitor

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from playwright.sync_api import Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("axe"),
    pytest.mark.django_db(transaction=True),
]

Visit = Callable[..., Visitor]
#: Of the four that axe knows, the least one is "minor".
BAD = {"moderate", "serious", "critical"}
# Style sheets are as the browser has them, and need not be fetched again.
EVERYTHING = {"resultTypes": ["violations"], "preload": False}
#: What colours and width decide.
LOOKS = {
    "runOnly": ["color-contrast", "link-in-text-block", "scrollable-region-focusable"],
    **EVERYTHING,
}


#: Colours change gradually.
SETTLE = "Promise.all(document.getAnimations().map((each) => each.finished))"
#: Icons of Django's own widget for many choices, which its script makes.
CONTEXT = {"exclude": [[".selector .help-tooltip"]]}


def find_violations(page: "Page", options: dict[str, object]) -> list[str]:
    """Return a line for each rule that the page breaks, with some of the elements that do."""
    found = Axe().run(page, context=CONTEXT, options=options).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): "
        + "; ".join(f"{node['target'][0]} {node['html'][:120]}" for node in rule["nodes"][:3])
        for rule in found
        if rule["impact"] in BAD
    ]


@pytest.mark.timeout(600)
def test_no_page_has_serious_or_moderate_violations(visit: Visit, chief: "User") -> None:
    urls = list_pages()
    visitor = visit(chief)
    page = visitor.page
    found: dict[str, set[str]] = defaultdict(set)
    seen = 0
    for url in urls:
        answer = page.request.get(url, max_redirects=0)
        if answer.status != 200 or not HTML.search(answer.text()):
            continue
        page.set_viewport_size({"width": 1440, "height": 900})
        page.emulate_media(color_scheme="light")
        page.goto(url)
        seen += 1
        for width, scheme, options in (
            (1440, "light", EVERYTHING),
            (360, "dark", LOOKS),
        ):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.evaluate(SETTLE)
            for line in find_violations(page, options):
                found[line].add(f"{url[:80]} at {width}, {scheme}")
    visitor.complaints.clear()  # what could not be loaded is another test's affair
    assert seen > 40
    assert not found, "\n".join(f"{line}\n    {sorted(where)[:3]}" for line, where in found.items())
