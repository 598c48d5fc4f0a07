"""What stands around the rows of the list of entries: chips, the time of failure, the verbs."""

import html
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.db import connection
from django.utils import timezone

from entries.filters import EntryFilter
from entries.models import Entry
from retry import service
from retry.admin.shared.entry_list import parse_list_filter
from retry.outcomes import Actor
from tests.admin.browsing import ENTRIES, Browser, text_of
from tests.conftest import grant
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.hiding import only_source

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db


def chips(browser: Browser, query: str) -> dict[str, dict[str, list[str]]]:
    """What each chip says, and the query that its cross leads to."""
    page = browser.read(f"{ENTRIES}?{query}")
    found = re.findall(r'<li class="chip".*?</li>', page, re.DOTALL)
    links = [re.search(r'href="\?([^"]*)" class="chip-remove"', chip) for chip in found]
    return {
        text_of(chip).removesuffix(" \N{MULTIPLICATION SIGN}"): parse_qs(
            html.unescape(link[1]), keep_blank_values=True
        )
        for chip, link in zip(found, links, strict=True)
        if link is not None
    }


def listed(browser: Browser, query: str) -> list[int]:
    return [entry.pk for entry in browser.get(f"{ENTRIES}?{query}").context["cl"].result_list]


def test_everything_that_is_filtered_has_a_chip_that_removes_only_that(at_desk: Browser) -> None:
    SourceFactory.create(slug="planet")
    EntryFactory.create(failed=True, fingerprint="1-a", error_message="HTTP 503 <b>")
    query = {
        "status": "failed",
        "source": "planet",
        "kind": "page",
        "upstream": "page.example",
        "fingerprint": "1-a",
        "error_class": "TimedOut",
        "failed_within": "24h",
        "failed_after": "2026-01-31T10:00:00+00:00",
        "failed_before": "2026-02-01T10:00:00+00:00",
        "received_within": "7d",
        "received_after": "2026-01-30T10:00:00+00:00",
        "received_before": "2026-02-02T10:00:00+00:00",
        "gone": "no",
        "payload.customer": "17",
        "payload.token": "s3cret",
        "sort": "oldest",
        "p": "1",
    }
    found = chips(at_desk, urlencode(query))
    assert list(found) == [
        "status failed",
        "source planet",
        "kind page",
        "upstream page.example",
        "error group TransientError HTTP 503 <b>",
        "error class TimedOut",
        "failed in the last 24 hours",
        "failed since 2026-01-31 10:00",
        "failed before 2026-02-01 10:00",
        "received in the last 7 days",
        "received since 2026-01-30 10:00",
        "received before 2026-02-02 10:00",
        "gone from source no",
        "payload customer = 17",
        "payload token = ***",
    ]
    names = [name for name in query if name not in {"sort", "p"}]
    for name, left in zip(names, found.values(), strict=True):
        assert left.keys() == query.keys() - {name, "p"}
    assert 'href="?">Clear all</a>' in at_desk.read(f"{ENTRIES}?{urlencode(query)}")
    assert chips(at_desk, "") == {}
    assert chips(at_desk, "source=") == {"source none": {}}


def test_each_term_of_a_search_has_a_chip(at_desk: Browser) -> None:
    query = 'status=failed&q=two+words+error:503+payload.token=s3cret+"a+b"'
    found = chips(at_desk, query)
    assert found == {
        "status failed": {"q": ['two words error:503 payload.token=s3cret "a b"']},
        "text two words": {"status": ["failed"], "q": ['error:503 payload.token=s3cret "a b"']},
        "error 503": {"status": ["failed"], "q": ['"two words" payload.token=s3cret "a b"']},
        "payload token = ***": {"status": ["failed"], "q": ['"two words" error:503 "a b"']},
        "text a b": {
            "status": ["failed"],
            "q": ['"two words" error:503 payload.token=s3cret'],
        },
    }
    assert chips(at_desk, "q=+%239+") == {"entry #9": {}}
    found = chips(at_desk, 'q=reason:"a+b"+reason:c')
    assert found == {"reason a b": {"q": ["reason:c"]}, "reason c": {"q": ['reason:"a b"']}}


def test_the_error_of_a_group_that_may_not_be_seen_is_not_named(at_desk: Browser) -> None:
    EntryFactory.create(failed=True, fingerprint="1-a", error_message="hidden")
    with only_source("none"):
        assert list(chips(at_desk, "fingerprint=1-a")) == ["error group 1-a"]


def test_what_was_retried_for_a_reason_is_listed_and_exported(
    at_desk: Browser, operator: "User"
) -> None:
    grant(operator, "entries.export_entry")
    retried, _other = EntryFactory.create_batch(2, failed=True)
    service.retry_entry(retried.pk, actor=Actor.command("ops"), reason="INC-42")
    address = "q=reason:inc-42&received_within=1h"
    assert listed(at_desk, address) == [retried.pk]
    answer = at_desk.post(f"{ENTRIES}export/?{address}", {"format": "csv"})
    lines = b"".join(answer).decode().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == [str(retried.pk)]
    with only_source("none"):
        assert listed(at_desk, address) == []


def fail_at(entry: Entry, ago: timedelta) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE entries_entry SET failed_at = %s WHERE id = %s",
            [timezone.now() - ago, entry.pk],
        )


def test_since_and_order_are_what_operations_mean_too(at_desk: Browser) -> None:
    old, new = EntryFactory.create(failed=True), EntryFactory.create(failed=True)
    fail_at(old, timedelta(hours=5))
    since = (timezone.now() - timedelta(hours=1)).isoformat()
    for query, ids in (
        ("failed_within=1h", [new.pk]),
        ("failed_within=1d", [new.pk, old.pk]),
        ("failed_within=1d&sort=oldest", [old.pk, new.pk]),
        (urlencode({"failed_after": since}), [new.pk]),
        (urlencode({"failed_before": since, "sort": "oldest"}), [old.pk]),
    ):
        address = f"status=failed&{query}"
        assert listed(at_desk, address) == ids, query
        request: Any = at_desk.get(f"{ENTRIES}?{address}").wsgi_request
        meant = parse_list_filter(request.GET)
        found = Entry.objects.filter(meant.condition()).values_list("pk", flat=True)
        assert set(found) == set(ids)
    assert listed(at_desk, "sort=oldest") == [old.pk, new.pk]
    assert listed(at_desk, "sort=odd") == [new.pk, old.pk]


def test_a_range_is_typed_in_the_local_time(at_desk: Browser) -> None:
    answer = at_desk.get(f"{ENTRIES}?source=x&from=2026-01-31T10:00&to=&p=2")
    query = parse_qs(urlsplit(answer["Location"]).query)
    assert query.keys() == {"source", "failed_after", "status"}
    assert query["status"] == ["failed"]
    assert query["failed_after"] == ["2026-01-31T10:00:00+00:00"]
    answer = at_desk.get(f"{ENTRIES}?received_from=2026-01-31&received_to=2026-02-01T10:00")
    assert parse_qs(urlsplit(answer["Location"]).query) == {
        "received_after": ["2026-01-31T00:00:00+00:00"],
        "received_before": ["2026-02-01T10:00:00+00:00"],
    }
    (said,) = at_desk.messages_after(at_desk.get(f"{ENTRIES}?from=yesterday"))
    assert said == "“yesterday” is not a time."


@pytest.mark.parametrize(
    "query", ["failed_within=1w", "failed_after=x", "failed_before=2026-01-31"]
)
def test_a_time_that_is_none_is_said(query: str, at_desk: Browser) -> None:
    EntryFactory.create(failed=True)
    page = at_desk.get(f"{ENTRIES}?{query}")
    (said,) = page.context["messages"]
    assert str(said).startswith("The time of failure is not valid")
    assert not page.context["cl"].result_list
    page = at_desk.get(f"{ENTRIES}?{query.replace('failed', 'received')}")
    (said,) = page.context["messages"]
    assert str(said).startswith("The time of receipt is not valid")
    assert not page.context["cl"].result_list


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_the_ends_of_time_are_times(when: str, at_desk: Browser) -> None:
    EntryFactory.create(failed=True)
    query = urlencode({"status": "failed", "failed_after": when, "failed_before": when})
    assert listed(at_desk, query) == []
    query = urlencode({"received_after": when, "received_before": when})
    assert listed(at_desk, query) == []


def test_a_span_is_no_condition_without_an_index(at_desk: Browser) -> None:
    page = at_desk.read(ENTRIES)
    assert 'href="?failed_within=1h&amp;status=failed"' in page
    assert 'href="?received_within=1h"' in page
    page = at_desk.read(f"{ENTRIES}?status=discarded")
    assert 'href="?failed_within=1h&amp;status=discarded"' in page


def verbs(browser: Browser, query: str) -> list[str]:
    page = browser.read(f"{ENTRIES}?{query}")
    return re.findall(r'data-verb="(\w+)_selected"', page)


@pytest.mark.parametrize(
    ("status", "offered"),
    [
        ("", ["retry", "resync", "retry_now", "stop", "restore", "discard"]),
        ("failed", ["retry", "resync", "discard"]),
        ("scheduled", ["resync", "retry_now", "stop", "discard"]),
        ("pending", ["resync", "discard"]),
        ("succeeded", ["resync"]),
        ("discarded", ["restore"]),
        ("queued", []),
        ("running", []),
    ],
)
def test_verbs_follow_the_status(status: str, offered: list[str], foreman: Browser) -> None:
    EntryFactory.create(failed=True)
    for each in ("succeeded", "queued", "running", "scheduled", "discarded"):
        EntryFactory.create(**{each: True})
    EntryFactory.create()
    assert verbs(foreman, f"status={status}" if status else "") == offered


def test_each_button_does_its_own_verb(foreman: Browser) -> None:
    """Without scripts, as a browser sends the form: Django picks a verb by its place."""
    entry = EntryFactory.create(scheduled=True)
    page = foreman.read(f"{ENTRIES}?status=scheduled")
    actions = re.findall(r'<input type="hidden" name="action" value="(\w+)">', page)
    (index,) = re.findall(r'name="index" value="(\d)" data-verb="stop_selected"', page)
    form = {"_selected_action": [entry.pk], "action": actions, "index": index}
    assert foreman.press(f"{ENTRIES}?status=scheduled", **form) == ["1 entry stopped."]
    entry.refresh_from_db()
    assert entry.status == "failed"


def test_what_is_not_offered_is_still_answered_honestly(foreman: Browser) -> None:
    entry = EntryFactory.create(failed=True)
    (said,) = foreman.select([entry.pk], action="restore_selected", url=f"{ENTRIES}?status=failed")
    assert "Nothing can be restored" in said


def test_readers_are_offered_no_verb(reader: "User") -> None:
    EntryFactory.create(failed=True)
    assert verbs(Browser(reader), "status=failed") == []


def test_a_search_means_the_same_to_an_operation(at_desk: Browser) -> None:
    EntryFactory.create(failed=True, error_class="TimedOut", payload={"customer": 17})
    EntryFactory.create(failed=True, error_class="TimedOut", payload={"customer": 18})
    text = "error:timed payload.customer=17"
    ids = listed(at_desk, urlencode({"status": "failed", "q": text}))
    found = Entry.objects.filter(EntryFilter(status="failed", q=text).condition())  # type: ignore[arg-type]
    assert ids == [entry.pk for entry in found]
    assert len(ids) == 1
