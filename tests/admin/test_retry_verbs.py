"""Retry, by ticking in the list and by the button on the page: outcomes, refusals, forgeries."""

from typing import TYPE_CHECKING, Any

import pytest

from entries.models import Attempt, Entry
from retry import queue
from retry.models import AuditEvent, Operation, Run
from tests.admin.browsing import ENTRIES, Browser, page_of, text_of
from tests.conftest import grant
from tests.factories.entries import EntryFactory

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django import Settings

pytestmark = pytest.mark.django_db(transaction=True)


def statuses() -> list[str]:
    return list(Entry.objects.order_by("id").values_list("status", flat=True))


def failed(count: int = 1) -> list[int]:
    return [e.pk for e in EntryFactory.create_batch(count, failed=True, kind="scripted")]


def test_a_selection_is_queued_and_audited(at_desk: Browser, operator: "User") -> None:
    ids = failed(3)
    assert at_desk.select(ids, reason="upstream is back") == ["3 entries queued."]
    assert statuses() == ["queued"] * 3
    assert queue.count_jobs(["default"]) == {"default": 1}
    event = AuditEvent.objects.get()
    assert (event.verb, event.channel, event.count) == ("retry", "admin", 3)
    assert (event.actor_id, event.reason) == (operator.pk, "upstream is back")
    assert event.request_id, "the one of the log lines"


def test_what_cannot_be_retried_is_skipped_with_its_reason(at_desk: Browser) -> None:
    ids = [*failed(3), EntryFactory.create(running=True).pk]
    assert at_desk.select(ids) == ["3 entries queued, 1 skipped (already running)."]


def test_several_reasons_are_counted_each(at_desk: Browser) -> None:
    running = EntryFactory.create_batch(2, running=True)
    done = EntryFactory.create(succeeded=True)
    said = at_desk.select([done.pk, *(entry.pk for entry in running)])
    assert said == ["No entries queued, 3 skipped (2 already running, 1 not failed)."]
    assert not Run.objects.exists()


def test_who_left_the_filter_gets_an_outcome_too(at_desk: Browser) -> None:
    """Between the page and the click somebody else has retried one of the three."""
    ids = failed(3)
    at_desk.select(ids[:1])
    said = at_desk.select(ids, url=f"{ENTRIES}?status=failed")
    assert said == ["2 entries queued, 1 skipped (already queued)."]


def test_the_same_click_twice_queues_once(at_desk: Browser) -> None:
    ids = failed()
    at_desk.select(ids)
    assert at_desk.select(ids) == ["No entries queued, 1 skipped (already queued)."]
    assert Run.objects.count() == 1


def test_more_than_one_can_follow_become_an_operation(at_desk: Browser) -> None:
    ids = failed(27)
    assert at_desk.select(ids[:25]) == ["25 entries queued."]
    assert not Operation.objects.exists()
    Attempt.objects.all().delete()
    Entry.objects.all().delete()
    ids = failed(26)
    assert at_desk.select(ids, reason="mended") == ["26 entries are being retried."]
    operation = Operation.objects.get()
    assert (operation.action, operation.total, operation.reason) == ("retry", 26, "mended")
    assert set(statuses()) == {"failed"}, "the dispatcher starts them"


def test_more_fields_than_a_page_has_are_refused(at_desk: Browser) -> None:
    form = {"_selected_action": list(range(1600)), "action": "retry_selected", "index": "0"}
    assert at_desk.post(ENTRIES, form).status_code == 400


@pytest.mark.parametrize(
    "forged", ["x", "-1", "1e3", "9" * 30, "1;DROP", "", "\N{ARABIC-INDIC DIGIT ONE}"]
)
def test_ids_that_are_none_are_refused(forged: str, at_desk: Browser) -> None:
    (said,) = at_desk.select([*failed(), forged])
    assert "not from this list" in said
    assert set(statuses()) == {"failed"}


@pytest.mark.parametrize("reason", ["x" * 501, "nul \0"])
def test_a_reason_that_cannot_be_stored_is_refused(reason: str, at_desk: Browser) -> None:
    ids = failed()
    (said,) = at_desk.select(ids, reason=reason)
    assert said.startswith("The reason is not valid")
    (said,) = at_desk.press(f"{ENTRIES}{ids[0]}/retry/", reason=reason)
    assert said.startswith("The reason is not valid")
    assert statuses() == ["failed"]


def test_no_selection_is_no_work(at_desk: Browser) -> None:
    failed()
    (said,) = at_desk.select([])
    assert "must be selected" in said
    assert statuses() == ["failed"]


def test_the_list_needs_the_permission_to_retry_and_no_other(reader: "User") -> None:
    ids = failed()
    for user in (reader, grant(reader, "entries.change_entry")):
        form = {"_selected_action": ids, "action": "retry_selected", "index": "0"}
        answer = Browser(user).post(ENTRIES, form)
        assert answer.status_code == 200, "the list again, as if nothing had been sent"
        assert statuses() == ["failed"]


def test_the_button_retries_with_a_reason(at_desk: Browser) -> None:
    (id_,) = failed()
    url = page_of(Entry.objects.get())
    assert f'action="{ENTRIES}{id_}/retry/"' in at_desk.read(url)
    said = at_desk.press(f"{ENTRIES}{id_}/retry/", reason="again")
    assert said == [f"Entry {id_} is queued for attempt 2."]
    assert (statuses(), Run.objects.get().reason) == (["queued"], "again")


def test_the_button_leads_back_to_the_page_with_its_list_in_mind(at_desk: Browser) -> None:
    (id_,) = failed()
    query = "_changelist_filters=status%3Dfailed"
    answer = at_desk.post(f"{ENTRIES}{id_}/retry/?{query}")
    assert (answer.status_code, answer["Location"]) == (302, f"{ENTRIES}{id_}/change/?{query}")


def test_the_button_is_not_for_get(at_desk: Browser) -> None:
    (id_,) = failed()
    answer = at_desk.get(f"{ENTRIES}{id_}/retry/")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert statuses() == ["failed"]


def test_the_button_needs_a_token_against_forgery(operator: "User") -> None:
    (id_,) = failed()
    strict = Browser(operator, enforce_csrf_checks=True)
    assert strict.post(f"{ENTRIES}{id_}/retry/").status_code == 403
    form = {"_selected_action": [id_], "action": "retry_selected", "index": "0"}
    assert strict.post(ENTRIES, form).status_code == 403
    assert statuses() == ["failed"]


def test_the_button_needs_the_permission(reader: "User") -> None:
    (id_,) = failed()
    browser = Browser(reader)
    words = text_of(browser.read(page_of(Entry.objects.get())))
    assert "To retry it, you need the permission “Can retry an entry”." in words
    assert browser.post(f"{ENTRIES}{id_}/retry/").status_code == 403
    assert statuses() == ["failed"]


def test_no_entry_no_button(at_desk: Browser) -> None:
    for object_id in ("404", "99999999999999999999", "x"):
        assert at_desk.post(f"{ENTRIES}{object_id}/retry/").status_code == 404


@pytest.mark.parametrize(
    ("trait", "words"),
    [
        ({}, "This entry has not been tried yet."),
        ({"queued": True}, "This entry is queued."),
        ({"running": True}, "A worker is processing this entry now."),
        ({"succeeded": True}, "This entry has succeeded. It has no source to resync from."),
        (
            {"discarded": True},
            "This entry was discarded. To retry it, restore it first.",
        ),
    ],
)
def test_what_has_not_failed_says_why_there_is_no_button(
    trait: dict[str, Any], words: str, at_desk: Browser
) -> None:
    entry = EntryFactory.create(**trait)
    page = at_desk.read(page_of(entry))
    assert words in text_of(page)
    assert "Reason (optional)" not in page
    (said,) = at_desk.press(f"{ENTRIES}{entry.pk}/retry/")
    assert said == f"Entry {entry.pk} is {entry.status}; only failed entries can be retried."


def test_without_redis_the_entries_are_queued_and_the_page_says_so(
    at_desk: Browser, redis_away: None
) -> None:
    ids = failed(3)
    assert at_desk.select(ids[:2]) == [
        "2 entries queued.",
        "Redis cannot be reached: they will start by themselves when Redis is back.",
    ]
    assert at_desk.press(f"{ENTRIES}{ids[2]}/retry/") == [
        f"Entry {ids[2]} is queued for attempt 2.",
        "Redis cannot be reached: it will start by itself when Redis is back.",
    ]
    assert statuses() == ["queued"] * 3
    assert "Redis cannot be reached. Retries are accepted" in text_of(at_desk.read(ENTRIES))


def test_the_limit_in_the_words_is_the_limit_in_force(
    at_desk: Browser, settings: "Settings"
) -> None:
    settings.REDRIVE_SELECTION_LIMIT = 2
    (said,) = at_desk.select(failed(3))
    assert said == "At most 2 entries can be selected at once, not 3."
