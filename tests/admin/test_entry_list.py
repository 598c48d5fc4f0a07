"""The list of entries: what it shows, to whom, and at what price."""

from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from entries.lists import counts
from entries.models import Entry
from retry.admin.entries.admin import RetryEntryAdmin
from tests.admin.browsing import ENTRIES, Browser, text_of
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.hiding import only_source

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db


def listed(browser: Browser, query: str = "") -> list[int]:
    answer = browser.get(f"{ENTRIES}?{query}")
    assert answer.status_code == 200, answer.status_code
    return [entry.pk for entry in answer.context["cl"].result_list]


def test_each_row_says_what_when_and_why(at_desk: Browser) -> None:
    source = SourceFactory.create(name="Planet")
    entry = EntryFactory.create(failed=True, source=source, title="Release notes")
    page = at_desk.read(ENTRIES)
    assert f"#{entry.pk} Release notes" in text_of(page)
    assert '<span class="badge badge-failed">failed</span>' in page
    assert "TransientError HTTP 503 from http://page.example/1" in text_of(page)
    assert "Planet" in page
    assert f'datetime="{entry.status_changed_at:%Y-%m-%dT%H:%M}' in page


def test_newest_first_and_failures_by_when_they_failed(at_desk: Browser) -> None:
    first, second = EntryFactory.create(failed=True), EntryFactory.create(failed=True)
    assert listed(at_desk) == [second.pk, first.pk]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE entries_entry SET failed_at = now() WHERE id = %s", [first.pk])
        cursor.execute(
            "UPDATE entries_entry SET failed_at = now() - interval '1 day' WHERE id = %s",
            [second.pk],
        )
    assert listed(at_desk, "status=failed") == [first.pk, second.pk]


def test_filters(at_desk: Browser) -> None:
    source = SourceFactory.create(slug="planet")
    failed = EntryFactory.create(failed=True, source=source, kind="page")
    other = EntryFactory.create(failed=True, error_class="ValueError", fingerprint="1-v")
    done = EntryFactory.create(succeeded=True, kind="scripted")
    assert listed(at_desk, "status=succeeded") == [done.pk]
    assert listed(at_desk, "kind=scripted") == [done.pk]
    assert listed(at_desk, "source=planet") == [failed.pk]
    assert listed(at_desk, "upstream=page.example") == [other.pk, failed.pk]
    assert listed(at_desk, "upstream=nope") == []
    assert listed(at_desk, "source=") == [done.pk, other.pk]
    assert listed(at_desk, "error_class=ValueError") == [other.pk]
    assert listed(at_desk, "status=failed&fingerprint=1-v") == [other.pk]
    assert listed(at_desk, "status=nonsense") == []
    assert listed(at_desk, "kind=%00") == []


def test_the_count_is_that_of_the_list(at_desk: Browser) -> None:
    source = SourceFactory.create(slug="s")
    EntryFactory.create_batch(101, source=source, kind="scripted")
    EntryFactory.create_batch(2, source=source, kind="page")
    EntryFactory.create(kind="scripted")
    for query, count in (
        ("source=s", 103),
        ("source=s&upstream=", 101),
        ("upstream=", 102),
        ("source=s&kind=", 0),
        ("kind=", 0),
        ("source=&upstream=", 1),
    ):
        answer = at_desk.get(f"{ENTRIES}?{query}")
        assert answer.context["cl"].result_count == count, query


def test_the_error_classes_offered_come_from_failed_entries(at_desk: Browser) -> None:
    EntryFactory.create(failed=True, error_class="ValueError")
    EntryFactory.create(scheduled=True, error_class="KeyError")
    page = at_desk.read(ENTRIES)
    assert "?error_class=ValueError" in page
    assert "?error_class=KeyError" not in page


def test_nothing_is_offered_of_what_may_not_be_seen(at_desk: Browser) -> None:
    EntryFactory.create(failed=True, error_class="HiddenError", payload={"url": "http://hidden/"})
    page = at_desk.read(ENTRIES)
    assert "?upstream=hidden" in page
    assert "?error_class=HiddenError" in page
    with only_source("none"):
        for query in ("", "?upstream=nope", "?error_class=nope"):
            page = at_desk.read(f"{ENTRIES}{query}")
            assert "upstream=hidden" not in page
            assert "There are: hidden" not in page
            assert "HiddenError" not in page


def test_search_by_external_id_title_and_error(at_desk: Browser) -> None:
    by_id = EntryFactory.create(external_id="urn:needle:1")
    by_title = EntryFactory.create(title="A Needle in the hay")
    by_error = EntryFactory.create(failed=True, error_message="no needle found")
    EntryFactory.create()
    assert listed(at_desk, "q=needle") == [by_error.pk, by_title.pk, by_id.pk]


@pytest.mark.parametrize(
    "query", ["title__regex=(a%2B)%2B$", "source__name=x", "payload__x=1", "nonsense=1"]
)
def test_other_lookups_are_refused(query: str, at_desk: Browser) -> None:
    assert at_desk.get(f"{ENTRIES}?{query}").status_code == 400


def test_more_rows_cost_no_more_queries(at_desk: Browser) -> None:
    def cost(query: str) -> int:
        cache.clear()  # alarms are kept for seconds
        with CaptureQueriesContext(connection) as queries:
            at_desk.read(f"{ENTRIES}?{query}")
        return len(queries)

    def more() -> None:
        for trait in ("failed", "succeeded", "queued", "scheduled"):
            EntryFactory.create_batch(3, source=SourceFactory.create(), **{trait: True})

    more()
    at_desk.read(ENTRIES)  # the session
    before = {query: cost(query) for query in ("", "status=failed", "q=entry")}
    more()
    more()
    assert {query: cost(query) for query in before} == before


def test_large_columns_stay_in_the_database(at_desk: Browser) -> None:
    EntryFactory.create(failed=True)
    with CaptureQueriesContext(connection) as queries:
        at_desk.read(ENTRIES)
    assert not [q for q in queries if '"payload"' in q["sql"] or '"result"' in q["sql"]]


def test_counting_ends_at_the_limit(at_desk: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    EntryFactory.create_batch(6)
    monkeypatch.setattr(counts, "MOST", 5)
    monkeypatch.setattr(RetryEntryAdmin, "list_per_page", 2)
    with CaptureQueriesContext(connection) as queries:
        page = at_desk.read(f"{ENTRIES}?kind=page")
    assert "more than 5 entries" in text_of(page)
    found = [q["sql"] for q in queries if "COUNT(" in q["sql"] and "entry" in q["sql"]]
    assert found
    assert all("LIMIT 6" in sql for sql in found), "no unbounded count of entries anywhere"
    monkeypatch.setattr(counts, "MOST", 6)
    assert "more than" not in text_of(at_desk.read(f"{ENTRIES}?kind=page"))


@pytest.mark.parametrize(
    ("query", "number"),
    [("", 15), ("status=failed", 7), ("source=a&sort=oldest", 6), ("source=", 6)],
)
def test_beyond_the_limit_statuses_and_sources_have_exact_counts(
    query: str, number: int, at_desk: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = SourceFactory.create(slug="a"), SourceFactory.create(slug="b")
    EntryFactory.create_batch(4, failed=True, source=first)
    EntryFactory.create_batch(3, failed=True, source=second)
    EntryFactory.create_batch(2, succeeded=True, source=first)
    EntryFactory.create_batch(6, succeeded=True, source=None)
    monkeypatch.setattr(counts, "MOST", 5)
    monkeypatch.setattr(RetryEntryAdmin, "list_per_page", 2)
    words = text_of(at_desk.read(f"{ENTRIES}?{query}"))
    assert f"{number} entries, 5 of them on pages" in words
    assert f"Select all {number}, on all pages" in words
    assert (f"{number} found" in words) == ("status" in query or "source" in query)


def test_a_page_has_fifty_rows_and_shows_up_to_a_thousand(at_desk: Browser) -> None:
    EntryFactory.create_batch(51)
    assert len(listed(at_desk)) == 50
    assert len(listed(at_desk, "all=")) == 51
    assert len(listed(at_desk, "p=2")) == 1


def test_an_empty_desk_says_where_entries_come_from(at_desk: Browser) -> None:
    words = text_of(at_desk.read(ENTRIES))
    assert "No entries yet" in words
    assert "Add a source or sync one" in words


def test_a_filter_without_a_match_offers_the_way_back(at_desk: Browser) -> None:
    EntryFactory.create()
    words = text_of(at_desk.read(f"{ENTRIES}?status=failed"))
    assert "No entry matches" in words
    assert "Show all entries" in words


def test_only_those_who_may_retry_are_offered_it(operator: "User", reader: "User") -> None:
    EntryFactory.create(failed=True)
    assert 'value="retry_selected"' in Browser(operator).read(ENTRIES)
    page = Browser(reader).read(ENTRIES)
    assert "retry_selected" not in page
    assert "action-select" not in page


def test_selecting_across_pages_is_offered_where_there_are_several(at_desk: Browser) -> None:
    EntryFactory.create_batch(50, failed=True)
    assert "select_across" not in at_desk.read(ENTRIES)
    EntryFactory.create(failed=True)
    page = at_desk.read(ENTRIES)
    assert "select_across" in page
    assert "Select all 51, on all pages" in text_of(page)


def test_entries_cannot_be_added_or_deleted(chief: "User") -> None:
    entry = EntryFactory.create()
    browser = Browser(chief)
    assert browser.get(f"{ENTRIES}add/").status_code == 403
    assert browser.post(f"{ENTRIES}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    browser.select([entry.pk], action="delete_selected", post="yes")
    assert Entry.objects.exists()
