"""What is ticked, and what is behind a filter: from the list of entries to an operation."""

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.http.response import HttpResponseBase

from entries.models import Entry
from retry.models import AuditEvent, Operation, Run
from tests.admin.browsing import ENTRIES, Browser, page_of, text_of
from tests.admin.operating import PREVIEW, failed, finish, url_of
from tests.conftest import grant
from tests.factories.entries import EntryFactory, SourceFactory

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def pressed(
    browser: Browser, action: str, ids: list[int], *, query: str = "", **fields: Any
) -> HttpResponseBase:
    form = {"_selected_action": ids, "action": action, "index": "0"} | fields
    return browser.post(f"{ENTRIES}?{query}", form)


def test_all_behind_the_filter_leads_to_the_preview_of_just_that(at_desk: Browser) -> None:
    planet = SourceFactory.create(slug="planet")
    ids = failed(3, source=planet)
    failed(2)
    EntryFactory.create(succeeded=True, source=planet, title="needle")
    answer = pressed(
        at_desk, "retry_selected", ids[:1], query="source=planet&p=1", select_across="1", reason="x"
    )
    assert answer["Location"] == (
        f"{PREVIEW}?action=retry&source=planet&reason=x&back=source%3Dplanet%26p%3D1"
    )
    words = text_of(at_desk.read(answer["Location"]))
    assert "3 will be retried" in words
    assert "1 not failed" in words
    assert "4 in total" in words
    assert "Selected: source planet ." in words
    assert not Operation.objects.exists()


@pytest.mark.parametrize("query", ["status=failed", "status=failed&q=entry 1", "kind=grouped", ""])
def test_the_preview_counts_what_the_list_counts(query: str, at_desk: Browser) -> None:
    failed(12)
    EntryFactory.create_batch(2, succeeded=True)
    shown = at_desk.get(f"{ENTRIES}?{query}").context["cl"].result_count
    answer = pressed(at_desk, "retry_selected", [1], query=query, select_across="1")
    assert at_desk.get(answer["Location"]).context["found"].total == shown


def test_a_list_with_a_filter_that_operations_do_not_support_is_refused(at_desk: Browser) -> None:
    ids = failed(2)
    (said,) = at_desk.select(ids, url=f"{ENTRIES}?source=&status=failed", select_across="1")
    assert said == (
        "Operations do not support this filter: source “none”. Nothing was changed. "
        "Choose other filters, or tick the entries."
    )
    assert not Operation.objects.exists()


def test_everything_says_so_in_words_that_nobody_overlooks(at_desk: Browser) -> None:
    ids = failed(2)
    answer = pressed(at_desk, "retry_selected", ids, select_across="1")
    page = at_desk.read(answer["Location"])
    assert '<p class="everything-title">Every entry</p>' in page
    assert "selects all entries" in text_of(page)
    assert "Yes, include every entry" in text_of(page)


def test_what_is_ticked_is_discarded_and_restored_by_operations(foreman: Browser) -> None:
    ids = [*failed(2), EntryFactory.create(running=True).pk]
    for action, status in (("discard", "discarded"), ("restore", "failed")):
        answer = pressed(foreman, f"{action}_selected", ids, reason="old")
        operation = Operation.objects.get(action=action)
        assert answer["Location"] == url_of(operation)
        finish(operation)
        assert set(Entry.objects.filter(pk__in=ids[:2]).values_list("status", flat=True)) == {
            status
        }
        words = text_of(foreman.read(url_of(operation)))
        assert "2 succeeded" in words
        assert "1 already running" in words
    event = AuditEvent.objects.get(verb="start_discard")
    assert (event.actor_label, event.channel, event.reason) == ("operator", "admin", "old")


def test_all_behind_the_filter_is_discarded_by_way_of_the_preview(foreman: Browser) -> None:
    ids = failed(2)
    answer = pressed(foreman, "discard_selected", ids, query="status=failed", select_across="1")
    assert answer["Location"] == f"{PREVIEW}?action=discard&status=failed&back=status%3Dfailed"
    page = foreman.read(answer["Location"])
    assert "2 will be discarded" in text_of(page)
    assert "Canary" not in page


def test_discarding_is_neither_offered_nor_done_without_the_permission(at_desk: Browser) -> None:
    ids = failed(2)
    page = at_desk.read(ENTRIES)
    assert 'value="retry_selected"' in page
    assert "Discard" not in page
    assert "Restore" not in page
    for action in ("discard_selected", "restore_selected"):
        for across in ("0", "1"):
            pressed(at_desk, action, ids, query="status=failed", select_across=across)
    assert not Operation.objects.exists()
    assert set(Entry.objects.values_list("status", flat=True)) == {"failed"}


def test_the_same_list_sent_twice_is_one_operation_and_another_selection_another(
    foreman: Browser,
) -> None:
    ids = failed(3)
    key = re.search(r'name="form_key" value="([0-9a-f]{32})"', foreman.read(ENTRIES))
    assert key is not None
    first = pressed(foreman, "discard_selected", ids[:2], form_key=key[1])
    again = pressed(foreman, "discard_selected", ids[:2], form_key=key[1])
    assert again["Location"] == first["Location"]
    assert foreman.messages_after(again) == [
        "This form was already submitted. No second operation was started."
    ]
    pressed(foreman, "discard_selected", ids[2:], form_key=key[1])
    assert Operation.objects.count() == 2


def test_who_may_not_see_operations_is_told_and_stays_with_the_entries(operator: "User") -> None:
    browser = Browser(grant(operator, "entries.discard_entry"))
    assert browser.select(failed(2), action="discard_selected") == [
        "2 entries are being discarded."
    ]


def test_what_failed_alike_is_one_click_from_an_entry_and_from_its_list(at_desk: Browser) -> None:
    failed(2)
    other = EntryFactory.create(failed=True, fingerprint="1-other")
    group = f"{PREVIEW}?action=retry&amp;status=failed&amp;fingerprint=1-other"
    assert f'href="{group}"' in at_desk.read(page_of(other))
    alike = "/admin/retry/errorgroup/find/?fingerprint=1-other"
    assert f'href="{alike}"' in at_desk.read(ENTRIES)
    here = at_desk.read(f"{ENTRIES}?status=failed&fingerprint=1-other")
    assert f'href="{group}&amp;back=status%3Dfailed%26fingerprint%3D1-other"' in here
    assert "Retry this group" not in at_desk.read(ENTRIES)
    assert "1 will be retried" in text_of(at_desk.read(group.replace("&amp;", "&")))


def test_a_group_is_not_offered_to_readers(reader: "User") -> None:
    entry = EntryFactory.create(failed=True)
    browser = Browser(reader)
    for url in (page_of(entry), f"{ENTRIES}?status=failed&fingerprint=1-503"):
        assert "Retry this group" not in browser.read(url)


def test_sources_cannot_be_chosen_across_pages(at_desk: Browser) -> None:
    source = SourceFactory.create()
    form = {"_selected_action": [source.pk], "action": "sync_selected", "index": "0"}
    said = at_desk.press("/admin/entries/source/", **form, select_across="1")
    assert said == ["Only ticked rows can be selected here. Nothing was changed."]
    assert not Run.objects.exists()
