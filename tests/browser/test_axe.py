"""Every page passes axe, for screen readers and weak eyes, on wide and narrow screens, and is not
wider than its window, whatever the outside world calls its things."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from tests.browser.pages import HTML, STICKING_OUT, WIDTHS, list_pages
from tests.support.browser import Visitor

if TYPE_CHECKING:
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


#: Colours change gradually: here at once. To wait for the end of a change is to wait for ever where
#: the element is replaced meanwhile, as a part that is alive is.
SETTLE = """document.getAnimations().forEach((each) => {
  try { each.finish(); } catch { each.cancel(); }  // without an end
})"""
#: Icons of Django's own widget for many choices, which its script makes.
CONTEXT = {"exclude": [[".selector .help-tooltip"]]}


#: Of what axe finds, only this leaves the browser.
FIND = "([context, options]) => axe.run(context, options).then((found) => found.violations)"


def find_violations(page: "Page", options: dict[str, object]) -> list[str]:
    """Return a line for each rule that the page breaks, with some of the elements that do.

    The page has axe's script.
    """
    found = page.evaluate(FIND, [CONTEXT, options])
    return [
        f"{rule['id']} ({rule['impact']}): "
        + "; ".join(f"{node['target'][0]} {node['html'][:120]}" for node in rule["nodes"][:3])
        for rule in found
        if rule["impact"] in BAD
    ]


@dataclass(slots=True)
class Looks:
    """What is wrong with pages. ``violations``: by what axe says, where; ``wide``: by where."""

    seen: int = 0
    violations: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    wide: dict[str, str] = field(default_factory=dict)

    def look(self, page: "Page", url: str) -> None:
        page.set_viewport_size({"width": 1440, "height": 900})
        page.emulate_media(color_scheme="light")
        page.goto(url)
        page.evaluate(AXE_SCRIPT)
        self.seen += 1
        for width, scheme, options in (
            (1440, "light", EVERYTHING),
            (360, "dark", LOOKS),
        ):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.evaluate(SETTLE)
            for line in find_violations(page, options):
                self.violations[line].add(f"{url[:80]} at {width}, {scheme}")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            if said := page.evaluate(STICKING_OUT):
                self.wide[f"{url[:120]} at {width}"] = said


_REMEMBERED: list[Looks] = []


@pytest.fixture
def looks(request: pytest.FixtureRequest) -> Looks:
    """Of every page, which is loaded once for both tests."""
    if not _REMEMBERED:
        visit: Visit = request.getfixturevalue("visit")
        _REMEMBERED.append(look_at_pages(visit(request.getfixturevalue("chief"))))
    return _REMEMBERED[0]


def look_at_pages(visitor: Visitor) -> Looks:
    page, found = visitor.page, Looks()
    for url in list_pages():
        answer = page.request.get(url, max_redirects=0)
        if answer.status == 200 and HTML.search(answer.text()):
            found.look(page, url)
    visitor.complaints.clear()  # what could not be loaded is another test's affair
    return found


@pytest.mark.timeout(1200)
def test_no_page_has_serious_or_moderate_violations(looks: Looks) -> None:
    assert looks.seen > 40
    assert not looks.violations, "\n".join(
        f"{line}\n    {sorted(where)[:3]}" for line, where in looks.violations.items()
    )


@pytest.mark.timeout(1200)
def test_no_page_is_wider_than_its_window(looks: Looks) -> None:
    assert looks.seen > 40
    assert not looks.wide, "\n".join(f"{where}: {said}" for where, said in looks.wide.items())
