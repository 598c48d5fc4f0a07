"""Saved views: kept under a name, one's own or shared, counted for who reads them."""

import html
import re
from typing import TYPE_CHECKING

import pytest

from entries.filters import EntryFilter
from entries.states import EntryStatus
from retry import saved_views, service
from retry.access.views import read_filter, visible_views
from retry.models import AuditEvent, SavedView
from retry.outcomes import Actor, Channel
from tests.admin.browsing import ENTRIES, Browser, text_of
from tests.conftest import grant
from tests.factories.entries import EntryFactory
from tests.factories.users import UserFactory
from tests.support.asking import SCRIPT
from tests.support.hiding import only_source

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db
SAVE = f"{ENTRIES}views/save/"
FAILED = EntryFilter(status=EntryStatus.FAILED)


def act_on(view: SavedView, verb: str) -> str:
    return f"{ENTRIES}views/{view.pk}/{verb}/"


@pytest.fixture
def sharer() -> Browser:
    return Browser(grant(UserFactory.create(username="sharer", is_staff=True),
                         "entries.view_entry", "retry.share_savedview"))  # fmt: skip


def listed(browser: Browser, query: str = "") -> list[str]:
    """The views in the navigation of the list."""
    page = browser.read(f"{ENTRIES}?{query}")
    return [text_of(link) for link in re.findall(r'<a id="view-\d+".*?</a>', page, re.DOTALL)]


def test_a_view_is_kept_shown_and_left(at_desk: Browser) -> None:
    query = "status=failed&q=error%3A503&failed_within=24h&sort=oldest"
    assert "Save this view" in at_desk.read(f"{ENTRIES}?{query}")
    assert at_desk.press(SAVE, name="  Outage   tonight ", query=query) == ["The view was saved."]
    view = SavedView.objects.get()
    assert (view.name, view.shared, view.oldest_first) == ("Outage tonight", False, True)
    assert read_filter(view) == EntryFilter(
        status=EntryStatus.FAILED, q="error:503", failed_within="24h"
    )
    page = at_desk.read(ENTRIES)
    (link,) = re.findall(r'<a id="view-\d+" href="([^"]*)"', page)
    assert 'aria-current="page"' not in page.split('id="views"')[1].split("</nav>")[0]
    there = at_desk.read(html.unescape(link))
    assert 'aria-current="page"' in there.split('id="views"')[1].split("</nav>")[0]
    assert "Change this view" in there
    assert "Save this view" not in there


def test_the_same_name_replaces_the_own_view(at_desk: Browser) -> None:
    for status in ("failed", "queued"):
        at_desk.press(SAVE, name="Mine", query=f"status={status}")
    assert SavedView.objects.get().filter == {"status": "queued"}


def test_views_of_others_are_seen_only_where_they_are_shared(
    at_desk: Browser, sharer: Browser
) -> None:
    sharer.press(SAVE, name="Private", query="status=failed")
    sharer.press(SAVE, name="For all", query="status=queued", shared="1")
    assert listed(at_desk) == ["For all shared"]
    assert sorted(listed(sharer)) == ["For all shared", "Private"]
    private = SavedView.objects.get(name="Private")
    for verb in ("rename", "delete"):
        assert at_desk.post(act_on(private, verb), {"name": "x"}).status_code == 404
    shared = SavedView.objects.get(name="For all")
    for verb in ("rename", "delete"):
        assert at_desk.post(act_on(shared, verb), {"name": "x"}).status_code == 403
    assert "Change this view" not in at_desk.read(f"{ENTRIES}?status=queued")
    assert (
        at_desk.post(SAVE, {"name": "x", "query": "status=failed", "shared": "1"}).status_code
        == 403
    )
    assert SavedView.objects.count() == 2


def test_a_view_is_renamed_and_deleted(at_desk: Browser) -> None:
    at_desk.press(SAVE, name="One", query="status=failed")
    at_desk.press(SAVE, name="Two", query="status=queued")
    one, two = SavedView.objects.order_by("name")
    assert at_desk.press(act_on(one, "rename"), name="Two") == ["There is a view “Two” already."]
    assert at_desk.press(act_on(one, "rename"), name="Uno") == ["The view was renamed."]
    answer = at_desk.post(act_on(two, "delete"), {"query": "status=queued"})
    assert answer["Location"] == f"{ENTRIES}?status=queued"
    assert listed(at_desk) == ["Uno"]
    verbs = list(AuditEvent.objects.order_by("id").values_list("verb", "before", "after"))
    assert verbs[0] == (
        "save_view", None, {"name": "One", "shared": False, "filter": {"status": "failed"}}
    )  # fmt: skip
    assert verbs[2] == ("rename_view", {"name": "One"}, {"name": "Uno"})
    assert verbs[3] == ("delete_view", {"name": "Two", "shared": False}, None)


def test_secrets_in_a_filter_are_masked_in_the_audit(at_desk: Browser) -> None:
    query = "payload.token=s3cret-a&q=payload.password%3Ds3cret-b"
    at_desk.press(SAVE, name="Secret", query=query)
    assert "s3cret" not in str(AuditEvent.objects.get(verb="save_view").after)


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\0b"])
def test_other_names_are_refused(name: str, at_desk: Browser) -> None:
    (said,) = at_desk.press(SAVE, name=name, query="status=failed")
    assert "name" in said
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("query", ["source=", "status=odd", "nonsense=1"])
def test_a_list_that_no_filter_expresses_cannot_be_kept(query: str, at_desk: Browser) -> None:
    answer = at_desk.post(SAVE, {"name": "x", "query": query})
    assert answer.status_code == 302
    assert not SavedView.objects.exists()


def test_there_are_so_many_and_no_more(operator: "User", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_views, "MOST", 2)
    browser = Browser(operator)
    for name in "ab":
        browser.press(SAVE, name=name, query="status=failed")
    assert browser.press(SAVE, name="c", query="status=failed") == [
        "You have 2 views already. Delete one first."
    ]
    assert browser.press(SAVE, name="b", query="status=queued") == ["The view was saved."]


def counted(browser: Browser, query: str = "") -> dict[str, str]:
    page = browser.get(f"{ENTRIES}views/", {"back": query}).content.decode()
    links = re.findall(r'<bdi>(.*?)</bdi>.*?class="view-count">(.*?)</span>', page, re.DOTALL)
    return dict(links)


def test_counts_are_those_of_the_reader(at_desk: Browser) -> None:
    EntryFactory.create_batch(3, failed=True)
    EntryFactory.create(succeeded=True, title="needle")
    service.save_view("Failed", FAILED, actor=SCRIPT)
    service.save_view("Needles", EntryFilter(q="needle"), actor=SCRIPT)
    service.save_view("All", EntryFilter(all=True), actor=SCRIPT)
    assert counted(at_desk) == {"Failed": "3", "Needles": "1", "All": "4"}
    with only_source("none"):
        assert counted(at_desk) == {"Failed": "0", "Needles": "0", "All": "0"}


def test_counts_are_asked_for_again(at_desk: Browser) -> None:
    service.save_view("Failed", FAILED, actor=SCRIPT)
    page = at_desk.read(f"{ENTRIES}?status=failed")
    first = re.search(r'id="views"[^>]*hx-get="([^"]*)" hx-trigger="load"', page)
    assert first is not None
    answer = at_desk.read(html.unescape(first[1]))
    assert 'aria-current="page"' in answer
    again = re.search(r'hx-get="([^"]*)" hx-trigger="every 15s"', answer)
    assert again is not None
    assert at_desk.get(html.unescape(again[1])).status_code == 204
    EntryFactory.create(failed=True)
    assert at_desk.get(html.unescape(again[1])).status_code == 200


def test_a_filter_that_is_no_longer_known_is_no_link(at_desk: Browser) -> None:
    SavedView.objects.create(name="Old", filter={"colour": "red"}, shared=True)
    assert listed(at_desk) == []
    assert counted(at_desk) == {}


def test_without_views_nothing_is_asked_for(at_desk: Browser) -> None:
    assert 'id="views"' not in at_desk.read(ENTRIES)


def test_who_sees_no_entries_has_no_views(powerless: "User") -> None:
    service.save_view("Failed", FAILED, actor=SCRIPT)
    actor = Actor.from_user(powerless, channel=Channel.ADMIN)
    assert not visible_views(actor).exists()
