"""The list of operations, the page of one, and its buttons: true, and only for who may."""

import re
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from entries.models import Entry
from retry.models import AuditEvent, Operation
from retry.operations import control
from retry.operations.progress import read_progress
from retry.operations.selection import Selection
from tests.admin.browsing import Browser, page_of, text_of
from tests.admin.operating import OPERATIONS, failed, finish, started, step, url_of
from tests.conftest import grant
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def foreman(operator: "User") -> Browser:
    return Browser(
        grant(operator, "retry.view_operation", "retry.view_run", "retry.view_auditevent")
    )


@pytest.fixture
def onlooker(reader: "User") -> Browser:
    return Browser(grant(reader, "retry.view_operation"))


def figures(page: str) -> dict[str, int]:
    """The numbers of the legend, by their words."""
    found = re.findall(r"<b>([\d,]+)</b> <span>([a-z ]+)</span>", page)
    return {words: int(number.replace(",", "")) for number, words in found}


def test_the_page_tells_the_whole_story(foreman: Browser) -> None:
    failed(12)
    failed(3, do="fail")
    running = EntryFactory.create(running=True)
    everyone = Selection(ids=tuple(Entry.objects.values_list("pk", flat=True)))
    operation = started(everyone, reason="upstream is back")
    planned = figures(foreman.read(url_of(operation)))
    assert (planned["planned"], planned["succeeded"]) == (16, 0)
    finish(operation)
    page = foreman.read(url_of(operation))
    assert {name: count for name, count in figures(page).items() if count} == {
        "succeeded": 12,
        "failed again": 3,
        "skipped": 1,
    }
    words = text_of(page)
    for expected in (
        "Retry 16 entries",
        "upstream is back",
        "script",
        "16 selected entries",
        "Done: 3 of 16 failed again.",
        "1 already running",
        "3 RuntimeError HTTP 500",
        "Retry what failed",
    ):
        assert expected in words
    assert f'href="{page_of(running)}"' in page
    assert f'href="/admin/retry/run/?operation={operation.pk}"' in page
    assert "hx-get" not in page
    assert "Pause" not in words


def test_the_bar_shows_each_part_by_attributes_alone(foreman: Browser) -> None:
    failed(3)
    failed(1, do="fail")
    operation = started()
    finish(operation)
    page = foreman.read(url_of(operation))
    assert 'aria-label="of 4: 3 succeeded, 1 failed again"' in page
    assert '<rect class="part-succeeded" x="0.00%" y="0" width="75.00%"' in page
    assert '<rect class="part-failed" x="75.00%" y="0" width="25.00%"' in page


def test_it_polls_while_it_is_open_and_gets_only_what_changed(foreman: Browser) -> None:
    failed(3)
    operation = started()
    page = foreman.read(url_of(operation))
    (poll,) = re.findall(r'hx-get="([^"]*)" hx-trigger="every 1s"', page)
    poll = poll.replace("&amp;", "&")
    assert foreman.get(poll).status_code == 204
    step()
    part = foreman.read(poll)
    assert figures(part)["succeeded"] == 3
    assert "<html" not in part
    finish(operation)
    last = foreman.read(poll)
    assert "hx-get" not in last, "it is finished: nobody asks again"
    assert 'id="verbs"' in last
    assert 'id="items"' in last
    assert "The operation is completed." in last


def test_what_can_be_done_comes_along_when_the_state_has_changed(foreman: Browser) -> None:
    failed(30)
    operation = started()
    url = url_of(operation, "live")
    assert 'id="verbs"' not in foreman.read(f"{url}?seen=going.planned.1")
    control.pause(operation.pk, actor=SCRIPT, reason="Canary: 9 of 20 failed, limit 10%")
    part = foreman.read(f"{url}?seen=going.planned.1&outcome=planned")
    assert "Canary: 9 of 20 failed, limit 10%" in part
    assert "Resume" in part
    assert 'hx-swap-oob="true"' in part
    assert 'href="?outcome=planned#items" aria-current="page">' in part


def test_a_pause_by_the_canary_says_why_and_a_person_overrules_it(foreman: Browser) -> None:
    failed(5, do="fail")
    failed(5)
    operation = started(canary_size=5)
    for _ in range(3):
        step()
    words = text_of(foreman.read(url_of(operation)))
    assert "Canary: 5 of 5 failed, limit 10%" in words
    assert "Retry what failed" in words
    assert foreman.press(url_of(operation, "resume")) == ["Resumed."]
    finish(operation)
    assert read_progress(operation.pk).succeeded == 5


def test_pause_resume_and_cancel_are_done_and_audited(foreman: Browser) -> None:
    failed(3)
    operation = started()
    assert foreman.press(url_of(operation, "pause"))[0].startswith("Paused")
    assert "Paused by a user." in text_of(foreman.read(url_of(operation)))
    assert foreman.press(url_of(operation, "resume")) == ["Resumed."]
    said = foreman.press(url_of(operation, "cancel"), reason="wrong source")
    assert said[0].startswith("Cancelled")
    assert foreman.press(url_of(operation, "pause")) == [
        "This operation is already cancelled, so it cannot be changed any more."
    ]
    assert foreman.press(url_of(operation, "cancel"), reason="x" * 501)[0].startswith("The reason")
    events = AuditEvent.objects.filter(actor_label="operator").order_by("id")
    assert [(event.verb, event.reason) for event in events] == [
        ("pause", ""),
        ("resume", ""),
        ("cancel", "wrong source"),
    ]
    assert set(Entry.objects.values_list("status", flat=True)) == {"failed"}


def test_buttons_are_there_when_they_make_sense(foreman: Browser) -> None:
    failed(2, do="fail")
    operation = started()

    def offered() -> set[str]:
        page = foreman.read(url_of(operation))
        buttons = set(re.findall(r'action="[^"]*/(pause|resume|cancel)/"', page))
        return buttons | ({"again"} if "Retry what failed" in page else set())

    assert offered() == {"pause", "cancel"}
    control.pause(operation.pk, actor=SCRIPT)
    assert offered() == {"resume", "cancel"}
    control.resume(operation.pk, actor=SCRIPT)
    finish(operation)
    assert offered() == {"again"}


def test_onlookers_see_it_and_can_do_nothing(onlooker: Browser) -> None:
    failed(3)
    operation = started()
    page = onlooker.read(url_of(operation))
    assert figures(page)["planned"] == 3
    assert "<form" not in page.partition('id="verbs"')[2]
    for verb in ("pause", "resume", "cancel"):
        assert onlooker.post(url_of(operation, verb)).status_code == 403
        assert onlooker.get(url_of(operation, verb)).status_code == 405
    operation.refresh_from_db()
    assert operation.state == "planned"


def test_a_retrier_cannot_control_a_discard(foreman: Browser) -> None:
    from retry.models import Action

    failed(2)
    operation = started(action=Action.DISCARD)
    assert foreman.post(url_of(operation, "cancel")).status_code == 403
    assert Operation.objects.get().state == "planned"


def test_without_the_permission_there_is_nothing_to_see(operator: "User") -> None:
    failed()
    operation = started()
    browser = Browser(operator)
    parts = (url_of(operation, part) for part in ("change", "live", "items"))
    for url in (OPERATIONS, *parts):
        assert browser.get(url).status_code == 403, url
    assert browser.post(url_of(operation, "cancel")).status_code == 403
    assert "Operations" not in browser.read("/admin/entries/entry/")


def test_posts_need_a_token_against_forgery(operator: "User") -> None:
    failed()
    operation = started()
    strict = Browser(grant(operator, "retry.view_operation"), enforce_csrf_checks=True)
    for verb in ("pause", "resume", "cancel"):
        assert strict.post(url_of(operation, verb)).status_code == 403
    assert Operation.objects.get().state == "planned"


def test_there_is_no_such_operation(foreman: Browser) -> None:
    for verb in ("pause", "resume", "cancel"):
        assert foreman.post(f"{OPERATIONS}{uuid4()}/{verb}/").status_code == 404
    assert foreman.get(f"{OPERATIONS}{uuid4()}/live/").status_code == 404
    assert foreman.get(f"{OPERATIONS}{uuid4()}/change/").status_code == 302


def test_entries_come_by_outcome_and_in_pages(
    foreman: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retry.admin.operations.items.PAGE_SIZE", 4)
    ids = failed(10)
    bad = failed(3, do="fail")
    operation = started()
    finish(operation)

    def listed(query: str) -> tuple[list[int], str | None]:
        page = foreman.read(f"{url_of(operation)}?{query}").partition('id="items"')[2]
        following = re.search(r'href="\?([^"#]*)#items" rel="next"', page)
        found = re.findall(r"/admin/entries/entry/(\d+)/change/", page)
        return [int(id_) for id_ in found], following and following[1].replace("&amp;", "&")

    seen: list[int] = []
    query: str | None = ""
    while query is not None:
        page, query = listed(query)
        assert len(page) <= 4
        seen += page
    assert seen == [*ids, *bad]
    assert listed("outcome=failed")[0] == bad
    assert listed("outcome=queued")[0] == []


def test_the_list_of_entries_renews_itself_while_it_is_open(foreman: Browser) -> None:
    failed(3)
    operation = started()
    page = foreman.read(f"{url_of(operation)}?outcome=planned")
    (poll,) = re.findall(r'hx-get="([^"]*)" hx-trigger="every 5s"', page)
    poll = poll.replace("&amp;", "&")
    assert "outcome=planned" in poll
    assert foreman.get(poll).status_code == 204
    finish(operation)
    part = foreman.read(poll)
    assert "hx-get" not in part
    assert "No entries with this outcome." in text_of(part)
    assert foreman.get(f"{url_of(operation, 'items')}?outcome=odd").status_code == 404


@pytest.mark.parametrize("query", ["outcome=odd", "cursor=x", "cursor=1.2.3", "outcome=%00"])
def test_a_page_that_there_cannot_be_is_not_found(query: str, foreman: Browser) -> None:
    failed()
    operation = started()
    assert foreman.get(f"{url_of(operation)}?{query}").status_code == 404


def test_entries_and_errors_are_for_those_who_may_see_entries(powerless: "User") -> None:
    failed(2, do="fail", title="Secret plans")
    operation = started()
    finish(operation)
    page = Browser(grant(powerless, "retry.view_operation")).read(url_of(operation))
    assert figures(page)["failed again"] == 2
    assert "Secret plans" not in page
    assert "HTTP 500" not in page


def test_nobody_edits_adds_or_deletes_one(chief: "User") -> None:
    failed()
    operation = started()
    before: dict[str, Any] = {**Operation.objects.values().get()}
    browser = Browser(chief)
    assert browser.post(url_of(operation), {"state": "completed"}).status_code == 403
    assert browser.post(url_of(operation, "delete"), {"post": "yes"}).status_code == 403
    assert browser.get(f"{OPERATIONS}add/").status_code == 403
    assert {**Operation.objects.values().get()} == before
