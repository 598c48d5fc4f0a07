"""Rows that are not at rest are asked for again, and what came of a verb has a page."""

import html
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from entries.models import Entry
from retry import service
from retry.worker import run_worker
from tests.admin.browsing import ENTRIES, Browser, text_of
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT
from tests.support.hiding import only_source

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = f"{ENTRIES}rows/"


def poll(page: str) -> str:
    """The address that the page asks again; empty where it does not."""
    found = re.search(r'id="live-rows" hx-get="([^"]*)"', page)
    return html.unescape(found[1]) if found else ""


def asked(page: str) -> list[int]:
    ids = parse_qs(urlsplit(poll(page)).query).get("ids", [""])[0]
    return [int(id_) for id_ in ids.split(".") if id_]


def test_only_rows_that_are_not_at_rest_are_asked_for(at_desk: Browser) -> None:
    EntryFactory.create(failed=True)
    assert not poll(at_desk.read(ENTRIES))
    queued, running = EntryFactory.create(queued=True), EntryFactory.create(running=True)
    page = at_desk.read(f"{ENTRIES}?q=entry")
    assert asked(page) == [running.pk, queued.pk]
    assert "_changelist_filters=q%3Dentry" in poll(page)


def test_rows_are_followed_until_they_rest(at_desk: Browser) -> None:
    ids = [EntryFactory.create(failed=True, kind="scripted").pk for _ in range(3)]
    service.retry_entries(ids[:2], actor=SCRIPT)
    url = poll(at_desk.read(f"{ENTRIES}?kind=scripted"))
    assert at_desk.get(url).status_code == 204, "nothing new"
    run_worker("default", burst=True)
    fresh = at_desk.read(url)
    rows = re.findall(r"<tr.*?</tr>", fresh, re.DOTALL)[1:]
    assert [text_of(row).split()[0] for row in rows] == [f"#{ids[1]}", f"#{ids[0]}"]
    assert all("badge-succeeded" in row and "action-select" in row for row in rows)
    assert f"/{ids[0]}/change/?_changelist_filters=kind%3Dscripted" in fresh
    assert not poll(fresh)


def test_the_same_columns_as_in_the_list(reader: "User", at_desk: Browser) -> None:
    entry = EntryFactory.create(queued=True)
    for browser in (Browser(reader), at_desk):
        row = rf"<tr[^>]*>(?:(?!<tr).)*?/{entry.pk}/change/.*?</tr>"
        shown = re.search(row, browser.read(ENTRIES), re.DOTALL)
        fresh = re.search(row, browser.read(f"{ROWS}?ids={entry.pk}"), re.DOTALL)
        assert shown is not None
        assert fresh is not None
        cells = [
            re.findall(r'class="[^"]*field-\w+|action-select', part[0]) for part in (shown, fresh)
        ]
        assert cells[0] == cells[1]


def test_rows_cost_the_same_however_many(at_desk: Browser, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    ids = [entry.pk for entry in EntryFactory.create_batch(9, queued=True)]
    at_desk.read(f"{ROWS}?ids={ids[0]}")
    for some in (ids[:1], ids):
        with django_assert_max_num_queries(12):
            page = at_desk.read(f"{ROWS}?ids={'.'.join(map(str, some))}")
        assert asked(page) == sorted(some, reverse=True)


@pytest.mark.parametrize("ids", ["", "x", "1.x.-3", "9" * 30, "\0", "²", "." * 500])
def test_odd_ids_are_no_rows(ids: str, at_desk: Browser) -> None:
    page = at_desk.get(ROWS, {"ids": ids}).content.decode()
    assert not poll(page)


def test_hidden_entries_have_neither_rows_nor_outcomes(at_desk: Browser) -> None:
    entry = EntryFactory.create(queued=True, title="Secret plans")
    with only_source("none"):
        assert "Secret plans" not in at_desk.read(f"{ROWS}?ids={entry.pk}")
        assert "Secret plans" not in at_desk.read(f"{ENTRIES}outcomes/?of={entry.pk}.1")


def link_of(browser: Browser, ids: list[int], action: str, query: str = "") -> str:
    form = {"_selected_action": ids, "action": f"{action}_selected", "index": "0"}
    page = browser.read(str(browser.post(f"{ENTRIES}?{query}", form)["Location"]))
    found = re.search(r'<a href="([^"]*)">View outcomes</a>', page)
    return html.unescape(found[1]) if found else ""


def test_a_message_leads_to_what_came_of_it(at_desk: Browser) -> None:
    ids = [EntryFactory.create(failed=True, kind="scripted", payload={"do": do}).pk
           for do in ("succeed", "fail")]  # fmt: skip
    left = EntryFactory.create(succeeded=True)
    url = link_of(at_desk, [*ids, left.pk], "retry", "kind=scripted")
    page = at_desk.read(url)
    assert "2 queued…" in text_of(page)
    assert f"#{left.pk}" not in page
    assert f'href="{ENTRIES}?kind=scripted">Back to the entries' in page
    live = re.search(r'id="live" hx-get="([^"]*)"', page)
    assert live is not None
    assert at_desk.get(html.unescape(live[1])).status_code == 204
    run_worker("default", burst=True)
    fresh = at_desk.read(html.unescape(live[1]))
    assert "1 succeeded, 1 failed" in text_of(fresh)
    assert "RuntimeError" in fresh
    assert "hx-get" not in fresh


def test_an_outcome_stays_what_it_was(at_desk: Browser) -> None:
    entry = EntryFactory.create(failed=True, kind="scripted", payload={"do": "fail"})
    url = link_of(at_desk, [entry.pk], "retry")
    run_worker("default", burst=True)
    Entry.objects.update(payload={})
    service.retry_entry(entry.pk, actor=SCRIPT)
    run_worker("default", burst=True)
    page = at_desk.read(url)
    assert [text_of(b) for b in re.findall(r'<span class="badge.*?</span>', page)] == [
        "failed", "succeeded",
    ]  # fmt: skip


def test_stopping_has_outcomes_too_and_nothing_done_has_none(at_desk: Browser) -> None:
    waits, failed = EntryFactory.create(scheduled=True), EntryFactory.create(failed=True)
    assert "1 failed" in text_of(at_desk.read(link_of(at_desk, [waits.pk], "stop")))
    assert link_of(at_desk, [failed.pk], "stop") == ""
