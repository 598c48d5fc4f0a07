"""What the desk shows of what waits, and what it asks before it lets go of somebody's edits."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Dialog, expect

from entries.models import Entry
from retry.models import Run
from tests.browser import nasty
from tests.conftest import grant
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
#: Whether an element's text or background is more green than anything else.
IS_GREEN = """(element) => {
  const style = getComputedStyle(element);
  const green = (color) => {
    const [r, g, b, a = 1] = color.match(/[\\d.]+/g).map(Number);
    return a > 0 && g > r + 8 && g > b + 8;
  };
  return green(style.color) || green(style.backgroundColor);
}"""


@pytest.fixture
def editor(operator: "User") -> "User":
    return grant(operator, "entries.change_entry", "entries.change_source", "retry.view_run")


class Answers:
    """Says yes or no to whatever the page asks, and remembers what that was."""

    def __init__(self, visitor: Visitor, *, yes: bool) -> None:
        self.asked: list[tuple[str, str]] = []
        self.yes = yes
        visitor.page.on("dialog", self._answer)

    def _answer(self, dialog: Dialog) -> None:
        self.asked.append((dialog.type, dialog.message))
        if self.yes:
            dialog.accept()
        else:
            dialog.dismiss()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_waits_is_not_green(scheme: str, visit: Visit, editor: "User") -> None:
    entry = EntryFactory.create(failed=True)
    done = EntryFactory.create(succeeded=True)
    page = visit(editor, color_scheme=scheme).page
    page.goto(f"/admin/entries/entry/{entry.pk}/change/")
    page.get_by_role("button", name="Retry", exact=True).click()
    said = page.get_by_text(f"Entry {entry.pk} is queued for attempt 2.")
    badge = page.locator(".attempts li").first.locator(".badge")
    expect(badge).to_have_text("queued")
    for waiting in (said, badge, page.locator(".standing .badge")):
        assert not waiting.evaluate(IS_GREEN)
    page.goto("/admin/entries/entry/")
    assert not page.locator(".badge-queued").first.evaluate(IS_GREEN)
    assert page.locator(".badge-succeeded").first.evaluate(IS_GREEN), "and what succeeded is"
    page.goto(f"/admin/retry/run/{Run.objects.get().pk}/change/")
    for badge in page.locator(".badge").all():
        assert not badge.evaluate(IS_GREEN)
    assert done.status == "succeeded"


def edited(visitor: Visitor, entry: Entry) -> Any:
    page = visitor.page
    page.goto(f"/admin/entries/entry/{entry.pk}/change/")
    page.get_by_label("Title").fill("A better title")
    return page


def test_a_verb_asks_before_it_leaves_edits_out(visit: Visit, editor: "User") -> None:
    entry = EntryFactory.create(failed=True, title="Old", source=SourceFactory.create())
    visitor = visit(editor)
    answers = Answers(visitor, yes=False)
    page = edited(visitor, entry)
    page.get_by_role("button", name="Resync", exact=True).click()
    assert answers.asked == [
        ("confirm", "Your changes on this page are not saved. Resync without them?")
    ]
    expect(page.get_by_label("Title")).to_have_value("A better title")
    assert not Run.objects.exists()
    answers.yes = True
    page.get_by_role("button", name="Resync", exact=True).click()
    expect(page.get_by_text(f"Entry {entry.pk} is queued")).to_be_visible()
    assert [kind for kind, _ in answers.asked] == ["confirm", "confirm"], "asked once each time"
    entry.refresh_from_db()
    assert (entry.status, entry.title) == ("queued", "Old")


def test_leaving_asks_as_well_and_saving_does_not(visit: Visit, editor: "User") -> None:
    entry = EntryFactory.create(failed=True, title="Old")
    visitor = visit(editor)
    answers = Answers(visitor, yes=False)
    page = edited(visitor, entry)
    page.get_by_role("link", name="Sources").first.click(no_wait_after=True)
    expect(page.get_by_label("Title")).to_have_value("A better title")
    assert [kind for kind, _ in answers.asked] == ["beforeunload"]
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    page.get_by_role("button", name="Retry", exact=True).click()
    expect(page.get_by_text(f"Entry {entry.pk} is queued")).to_be_visible()
    assert len(answers.asked) == 1
    assert Entry.objects.get(pk=entry.pk).title == "A better title"


def test_without_scripts_the_edits_come_back_with_a_question(visit: Visit, editor: "User") -> None:
    entry = EntryFactory.create(failed=True, title="Old", source=SourceFactory.create())
    page = edited(visit(editor, java_script_enabled=False), entry)
    page.get_by_placeholder("Reason (optional)").fill("it is back")
    page.get_by_role("button", name="Resync", exact=True).click()
    expect(page.get_by_text("so “Resync” was not done")).to_be_visible()
    expect(page.get_by_label("Title")).to_have_value("A better title")
    assert not Run.objects.exists()
    page.get_by_label("Leave my changes out").check()
    page.get_by_role("button", name="Resync", exact=True).click()
    expect(page.get_by_text(f"Entry {entry.pk} is queued")).to_be_visible()
    assert Run.objects.get().reason == "it is back"
    assert Entry.objects.get(pk=entry.pk).title == "Old"


def test_enter_saves_in_the_title_and_acts_beside_a_verb(visit: Visit, editor: "User") -> None:
    entry = EntryFactory.create(failed=True, title="Old")
    page = edited(visit(editor), entry)
    page.get_by_label("Title").press("Enter")
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    assert not Run.objects.exists()
    page.get_by_placeholder("Reason (optional)").fill("now")
    page.get_by_placeholder("Reason (optional)").press("Enter")
    expect(page.get_by_text(f"Entry {entry.pk} is queued")).to_be_visible()
    assert Run.objects.get().reason == "now"


def test_a_source_asks_as_well(visit: Visit, editor: "User") -> None:
    source = SourceFactory.create()
    visitor = visit(editor)
    answers = Answers(visitor, yes=False)
    page = visitor.page
    page.goto(f"/admin/entries/source/{source.pk}/change/")
    page.get_by_label("Name").fill("Another name")
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_label("Name")).to_have_value("Another name")
    assert [kind for kind, _ in answers.asked] == ["confirm"]


def test_a_blank_title_can_be_followed(visit: Visit, editor: "User") -> None:
    entry = EntryFactory.create(failed=True, title="\u200b ", external_id="\u3000")
    page = visit(editor).page
    page.goto("/admin/entries/entry/")
    page.get_by_role("link", name="(no title)").click()
    expect(page.get_by_role("heading", name=f"Entry {entry.pk}")).to_be_visible()


@pytest.mark.parametrize("text", [nasty.RTL, nasty.CONTROLS, *nasty.BLANKS])
def test_whatever_it_is_called_there_is_a_link_to_it(
    text: str, visit: Visit, editor: "User"
) -> None:
    entry = nasty.entry(title=text, external_id=text, error_class=text or "E", error_message=text)
    visitor = visit(editor)
    page = visitor.page
    there = f"/admin/entries/entry/{entry.pk}/change/"
    for url in (
        "/admin/entries/entry/",
        f"/admin/retry/operation/preview/?action=retry&q=%23{entry.pk}",
    ):
        page.goto(url)
        link = page.locator(f"a[href^='{there}']").first
        assert link.inner_text().removeprefix(f"#{entry.pk}").strip()
        box = link.bounding_box()
        assert box is not None
        assert box["width"] > 5
        link.click()
        expect(page.get_by_role("heading", name=f"Entry {entry.pk}")).to_be_visible()


def test_a_title_from_right_to_left_turns_nothing_around_it(visit: Visit, editor: "User") -> None:
    EntryFactory.create(failed=True, title="שלום \u202e123", error_message="\u202eevil")
    page = visit(editor).page
    page.goto("/admin/entries/entry/")
    row = page.locator("#result_list tbody tr").first
    number, title = row.locator(".number").bounding_box(), row.locator("bdi").first.bounding_box()
    assert number is not None
    assert title is not None
    assert number["x"] < title["x"], "the number stands before it"
    error, link = row.locator(".error-line").bounding_box(), row.locator(".alike").bounding_box()
    assert error is not None
    assert link is not None
    assert (error["x"], error["y"]) < (link["x"] + 1, link["y"] + 1)
    assert page.evaluate("document.dir || 'ltr'") == "ltr"
