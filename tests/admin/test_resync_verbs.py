"""Resync, "Retry now" and "Stop retrying" in the admin."""

import re
from typing import TYPE_CHECKING, Any

import pytest

from entries.models import Entry
from retry.admin.shared.actions import RETRY_OR_RESYNC
from retry.models import AuditEvent, Operation, Run, Trigger
from tests.admin.browsing import ENTRIES, Browser, page_of, text_of
from tests.conftest import grant
from tests.factories.entries import EntryFactory, SourceFactory

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def sourced(**values: Any) -> Entry:
    return EntryFactory.create(source=SourceFactory.create(), **values)


def status_of(entry: Entry) -> str:
    return str(Entry.objects.values_list("status", flat=True).get(pk=entry.pk))


BUTTONS = {
    "failed": ["Retry", "Resync"],
    "scheduled": ["Retry now", "Stop retrying", "Resync"],
    "succeeded": ["Resync"],
    "discarded": ["Resync"],
    "queued": [],
    "running": [],
}


@pytest.mark.parametrize(("status", "labels"), BUTTONS.items())
def test_a_page_offers_what_can_be_done_and_says_what_it_is(
    at_desk: Browser, status: str, labels: list[str]
) -> None:
    page = at_desk.read(page_of(sourced(**{status: True})))
    for label in ("Retry", "Retry now", "Stop retrying", "Resync"):
        able = re.search(rf"<button [^>]*formaction=[^>]*>{label}</button>", page) is not None
        assert able == (label in labels), label
        assert able != (re.search(rf"<button [^>]* disabled [^>]*>{label}<", page) is not None)
    if "Resync" in labels:
        assert "fetches the input from its source first" in page


def test_an_entry_without_a_source_cannot_be_fetched(at_desk: Browser) -> None:
    entry = EntryFactory.create(failed=True)
    page = at_desk.read(page_of(entry))
    (described,) = re.findall(r'<button [^>]*aria-describedby="([^"]+)">Resync<', page)
    assert f'<span id="{described}">This entry has no source.</span>' in page
    (said,) = at_desk.press(f"{ENTRIES}{entry.pk}/resync/")
    assert said == f"Entry {entry.pk} has no source to resync from; retry it instead."
    assert status_of(entry) == "failed"


def test_the_buttons_do_it_and_say_what_came_of_it(at_desk: Browser) -> None:
    entry = sourced(succeeded=True)
    said = at_desk.press(f"{ENTRIES}{entry.pk}/resync/", reason="it moved")
    assert said == [f"Entry {entry.pk} is queued for attempt 2."]
    assert (Run.objects.get().trigger, Run.objects.get().reason) == ("resync", "it moved")
    waiting = sourced(scheduled=True)
    at_desk.press(f"{ENTRIES}{waiting.pk}/retry_now/")
    assert status_of(waiting) == "queued"
    other = sourced(scheduled=True)
    said = at_desk.press(f"{ENTRIES}{other.pk}/stop/", reason="enough")
    assert said == [f"Entry {other.pk} is marked failed. Automatic retries stopped."]
    assert (status_of(other), AuditEvent.objects.get(verb="stop").reason) == ("failed", "enough")


@pytest.mark.parametrize("verb", ["resync", "retry_now", "stop"])
def test_nobody_does_it_without_the_permission(reader: "User", verb: str) -> None:
    entry = sourced(scheduled=True)
    for user in (reader, grant(reader, "entries.change_entry")):
        assert Browser(user).post(f"{ENTRIES}{entry.pk}/{verb}/").status_code == 403
    assert status_of(entry) == "scheduled"


def test_what_is_ticked_gets_an_outcome_each(at_desk: Browser) -> None:
    ids = [sourced(succeeded=True).pk, sourced(running=True).pk, EntryFactory.create().pk]
    assert at_desk.select(ids, action="resync_selected") == [
        "1 entry queued, 2 skipped (1 already running, 1 no source)."
    ]
    scheduled = [EntryFactory.create(scheduled=True).pk, EntryFactory.create(failed=True).pk]
    assert at_desk.select(scheduled, action="stop_selected") == [
        "1 entry stopped, 1 skipped (not scheduled)."
    ]
    assert at_desk.select(
        [EntryFactory.create(scheduled=True).pk], action="retry_now_selected"
    ) == ["1 entry queued."]
    assert at_desk.select(scheduled, action="stop_selected") == [
        "No entries stopped, 2 skipped (not scheduled)."
    ]


def test_the_difference_is_said_where_people_choose(at_desk: Browser) -> None:
    sourced(failed=True)
    assert f'title="{RETRY_OR_RESYNC}"' in at_desk.read(ENTRIES)


def test_a_filter_leads_to_a_preview_with_its_own_question(
    at_desk: Browser, operator: "User"
) -> None:
    grant(operator, "retry.view_operation")
    entry = sourced(failed=True)
    EntryFactory.create(failed=True)
    form = {
        "_selected_action": [entry.pk],
        "action": "resync_selected",
        "index": "0",
        "select_across": "1",
    }
    address = at_desk.post(f"{ENTRIES}?status=failed", form)["Location"]
    page = text_of(at_desk.read(address))
    assert RETRY_OR_RESYNC in page
    assert "1 will be resynced" in page
    assert "1 no source" in page
    at_desk.post(address, {"key": "a" * 32, "only_if_changed": "on"})
    operation = Operation.objects.get()
    assert (operation.action, operation.only_if_changed, operation.total) == ("resync", True, 2)
    words = text_of(at_desk.read(f"/admin/retry/operation/{operation.pk}/change/"))
    assert "only changed entries" in words
    assert "unchanged" in words


def test_an_attempt_says_what_its_source_had(at_desk: Browser) -> None:
    entry = sourced(succeeded=True)
    said = {
        ("changed", "succeeded"): "Changed in its source",
        ("unchanged", "unchanged"): "so it was not processed again",
        ("gone", "failed"): "the stored input was used",
    }
    for (change, status), words in said.items():
        entry.attempts.update(
            is_rescan=True, change=change, status=status, hash_before="a" * 64, hash_after="b" * 64
        )
        assert words in text_of(at_desk.read(page_of(entry)))
    entry.attempts.update(change="", status="failed", error_class="SourceError")
    unread = "could not be read, so the entry kept its status"
    assert unread not in text_of(at_desk.read(page_of(entry))), "a retry reads no source"
    Run.objects.create(
        pk=entry.attempts.get().run_id,
        trigger=Trigger.RESYNC,
        resync=True,
        kind=entry.kind,
        entry_ids=[entry.pk],
        size=1,
    )
    assert unread in text_of(at_desk.read(page_of(entry)))
