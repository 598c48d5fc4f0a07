"""What a sync counts: new, changed, as before, gone, back, and what cannot be stored."""

import pytest
from django.db import connection

from entries.errors import SourceError
from entries.models import Entry, Source
from entries.sources.sync.full_sync import NOT_WHOLE
from entries.sources.sync.report import SyncProgress
from retry.models import AuditEvent, Sync
from retry.service import submit_entries
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT
from tests.support.syncing import (
    counts,
    everything_but_syncs,
    gone_ids,
    now_has,
    numbered,
    synced,
    temporary_tables,
)

pytestmark = pytest.mark.django_db(transaction=True)


def versions() -> dict[str, tuple[str, str]]:
    """Where each row lies and which transaction touched it last, by external id."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT external_id, ctid::text, xmax::text FROM entries_entry")
        return {external_id: (ctid, xmax) for external_id, ctid, xmax in cursor.fetchall()}


def test_each_is_counted_for_what_it_is() -> None:
    source = numbered(10)
    assert counts(synced(source).report) == (10, 0, 0, 0, 0)
    now_has(source, **{"from": 3, "to": 12, "changed_every": 5})
    report = synced(source).report
    assert counts(report) == (2, 2, 6, 2, 0)
    assert report.notes == ()
    assert gone_ids() == ["item-1", "item-2"]
    assert Entry.objects.count() == 12, "nothing is ever deleted"


@pytest.mark.parametrize("dry_run", [True, False])
def test_what_could_not_be_read_makes_nothing_gone(dry_run: bool) -> None:  # noqa: FBT001
    source = numbered(10)
    synced(source)
    now_has(source, **{"from": 3, "to": 12, "invalid": 2})
    report = synced(source, dry_run=dry_run).report
    assert counts(report) == (2, 0, 8, 0, 2), "whose rows those two were nobody knows"
    assert report.notes == ("2 items left out: not a row, such as line 1", NOT_WHOLE)
    assert gone_ids() == []


def test_a_reading_that_says_it_is_not_whole_makes_nothing_gone() -> None:
    source = numbered(3)
    synced(source)
    assert Source.objects.get().etag == '"new"'
    now_has(source, to=1, partial="there is a next page")
    report = synced(source).report
    assert counts(report) == (0, 0, 1, 0, 0)
    assert report.notes == ("there is a next page", NOT_WHOLE)
    assert Source.objects.get().etag == "", "the rest is asked for again"
    now_has(source, to=1)
    assert counts(synced(source).report) == (0, 0, 1, 2, 0)


def test_a_row_of_which_the_id_could_be_read_keeps_its_own_entry_alone() -> None:
    source = numbered(3)
    synced(source)
    now_has(source, to=1, known_invalid="item-3")
    report = synced(source).report
    assert counts(report) == (0, 0, 1, 1, 1)
    assert report.notes == ("1 item left out: not a row",)
    assert gone_ids() == ["item-2"]


def test_what_is_as_before_is_neither_written_nor_locked() -> None:
    source = numbered(1_500)
    synced(source)
    before = versions()
    assert counts(synced(source).report) == (0, 0, 1_500, 0, 0)
    assert versions() == before


def test_what_is_gone_is_marked_once_and_its_status_stays() -> None:
    source = numbered(3)
    synced(source)
    ids = list(Entry.objects.order_by("id").values_list("id", flat=True))
    submit_entries(ids[:1], actor=SCRIPT)
    now_has(source, **{"from": 3, "to": 3})
    assert counts(synced(source).report) == (0, 0, 1, 2, 0)
    entries = list(Entry.objects.order_by("id"))
    assert [entry.status for entry in entries] == ["queued", "pending", "pending"]
    since = entries[0].gone_at
    assert since is not None
    assert counts(synced(source).report) == (0, 0, 1, 0, 0), "it is newly gone once"
    assert Entry.objects.get(pk=ids[0]).gone_at == since


def test_what_is_there_again_is_an_update_even_where_it_is_as_before() -> None:
    source = numbered(2)
    synced(source)
    now_has(source, to=1)
    synced(source)
    assert gone_ids() == ["item-2"]
    now_has(source, to=2)
    assert counts(synced(source).report) == (0, 1, 1, 0, 0)
    assert gone_ids() == []
    assert counts(synced(source).report) == (0, 0, 2, 0, 0)


def test_only_what_is_the_sources_own_can_be_gone() -> None:
    other = EntryFactory.create(source=numbered(0, slug="other"))
    nobodys = EntryFactory.create(source=None, external_id="item-1")
    source = numbered(1)
    assert counts(synced(source).report) == (1, 0, 0, 0, 0)
    for entry in (other, nobodys):
        entry.refresh_from_db()
        assert entry.gone_at is None


def test_what_is_stored_while_the_source_is_read_is_not_gone() -> None:
    source = numbered(1)

    def meanwhile(_: SyncProgress) -> None:
        EntryFactory.create(source=source, external_id="pushed")

    assert counts(synced(source, on_batch=meanwhile).report) == (1, 0, 0, 0, 0)
    assert gone_ids() == []
    assert counts(synced(source).report) == (0, 0, 1, 1, 0)


@pytest.mark.parametrize(("how", "code"), [("fail_at", "unreachable"), ("break_at", "broken_kind")])
def test_a_reading_that_breaks_off_keeps_what_came_and_marks_nothing(how: str, code: str) -> None:
    source = numbered(2_100)
    synced(source)
    now_has(source, **{"from": 501, "to": 3_500, how: 2_501})
    with pytest.raises(SourceError) as caught:
        synced(source)
    assert caught.value.code == code
    assert gone_ids() == []
    assert Entry.objects.count() == 2_500, "two whole batches came"
    row = Sync.objects.first()
    assert row is not None
    assert (row.state, row.error_code, row.created) == ("failed", code, 400)
    assert row.error == Source.objects.get().last_error != ""
    assert Source.objects.get().etag == '"new"', "as of the sync before"
    assert AuditEvent.objects.filter(verb="sync").count() == 1
    assert temporary_tables() == []


def test_nothing_is_gone_where_nothing_was_modified() -> None:
    source = numbered(2)
    synced(source)
    now_has(source, not_modified=True)
    outcome = synced(source)
    assert outcome.report.not_modified
    assert gone_ids() == []
    assert Sync.objects.get(pk=outcome.sync_id).not_modified


def test_many_can_be_gone_at_once() -> None:
    source = numbered(6_000)
    synced(source)
    now_has(source, to=0)
    assert counts(synced(source).report) == (0, 0, 0, 6_000, 0)
    assert Entry.objects.filter(gone_at=None).count() == 0


class TestDryRun:
    def test_it_counts_the_same_and_changes_nothing_at_all(self) -> None:
        source = numbered(1_200)
        synced(source)
        now_has(source, to=1_199)
        synced(source)
        now_has(source, **{"from": 3, "to": 1_210, "changed_every": 70, "known_invalid": "x"})
        before = everything_but_syncs()
        dry = synced(source, dry_run=True)
        assert everything_but_syncs() == before
        assert counts(dry.report) == (10, 17 + 1, 1_197 - 17, 2, 1)
        assert dry.queued == 0
        row = Sync.objects.get(pk=dry.sync_id)
        assert (row.dry_run, row.state, counts(row)) == (True, "succeeded", counts(dry.report))
        assert row.notes == ["1 item left out: not a row"]
        wet = synced(source)
        assert counts(wet.report) == counts(dry.report)
        assert wet.report.sample == []

    def test_it_shows_some_of_each(self) -> None:
        source = numbered(30)
        synced(source)
        now_has(source, **{"from": 11, "to": 50, "revision": 2})
        sample = synced(source, dry_run=True).report.sample
        assert [row["what"] for row in sample] == ["created"] * 7 + ["updated"] * 7 + ["gone"] * 7
        assert sample[0] == {
            "external_id": "item-31",
            "title": "Item 31",
            "what": "created",
            "changes": [],
        }
        assert sample[7]["external_id"] == "item-11"
        assert sample[7]["changes"] == [{"key": "revision", "before": "1", "after": "2"}]
        assert sample[14]["external_id"] == "item-1"

    def test_what_would_be_back_says_so(self) -> None:
        source = numbered(1)
        synced(source)
        now_has(source, to=0)
        synced(source)
        now_has(source, to=1)
        report = synced(source, dry_run=True).report
        assert counts(report) == (0, 1, 0, 0, 0)
        assert [row["what"] for row in report.sample] == ["back"]

    def test_an_error_stands_in_its_row_and_nowhere_else(self) -> None:
        source = numbered(1, fail_at=1)
        before = everything_but_syncs()
        with pytest.raises(SourceError):
            synced(source, dry_run=True)
        assert everything_but_syncs() == before
        row = Sync.objects.get()
        assert (row.state, row.error_code, row.error) == (
            "failed",
            "unreachable",
            "the line went dead",
        )
