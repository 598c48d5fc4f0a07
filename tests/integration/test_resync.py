"""Resync: fetched from its source, stored, processed; or left as it was."""

from pathlib import Path
from typing import Any

import pytest
from django.db.models import F

from entries.models import Attempt, Entry, Source
from entries.states import EntryStatus
from retry.models import AuditEvent, Run
from retry.reasons import Reason
from retry.runs.rescue import rescue
from retry.service import resync_entries, resync_entry, retry_entries, retry_entry, wake_entries
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT
from tests.support.shops import Shop, work

pytestmark = pytest.mark.django_db(transaction=True)


def last(entry: Entry) -> Attempt:
    entry.refresh_from_db()
    return entry.attempts.get(number=entry.attempt)


def row(entry: Entry) -> dict[str, Any]:
    return dict(Entry.objects.filter(pk=entry.pk).values().get())


def test_what_the_source_changed_is_stored_and_processed(shop: Shop) -> None:
    entry = shop.entry()
    shop.has(a={"page": "new", "title": "A newer title"}, b={"page": "other"})
    item, dispatched = resync_entry(entry.pk, actor=SCRIPT, reason="it moved")
    assert (item.status, dispatched) == (EntryStatus.QUEUED, True)
    work()
    attempt = last(entry)
    assert (entry.status, entry.title) == ("succeeded", "A newer title")
    assert entry.payload == {"page": "new", "title": "A newer title"}
    assert entry.result == {"page": "new", "rescan": True, "change": "changed"}
    assert (attempt.change, attempt.status, attempt.is_rescan) == ("changed", "succeeded", True)
    assert attempt.hash_before != attempt.hash_after
    assert attempt.hash_after == entry.content_hash
    assert not Entry.objects.filter(external_id="b").exists(), "nobody asked for the others"
    assert AuditEvent.objects.filter(verb="resync", entry_id=entry.pk, reason="it moved").exists()


def test_a_retry_runs_the_stored_input_whatever_the_source_says(shop: Shop) -> None:
    entry = shop.entry(succeeded=False, failed=True)
    shop.has(a={"page": "new"})
    retry_entry(entry.pk, actor=SCRIPT)
    work()
    attempt = last(entry)
    assert entry.result == {"page": "old", "rescan": True, "change": ""}
    assert (attempt.change, attempt.hash_before, attempt.is_rescan) == ("", "", True)


def test_what_is_unchanged_is_processed_all_the_same(shop: Shop) -> None:
    entry = shop.entry()
    shop.has(a={"page": "old"})
    resync_entry(entry.pk, actor=SCRIPT)
    work()
    attempt = last(entry)
    assert entry.result == {"page": "old", "rescan": True, "change": "unchanged"}
    assert attempt.hash_before == attempt.hash_after != ""


@pytest.mark.parametrize("status", ["succeeded", "failed", "discarded", "scheduled"])
def test_only_if_changed_leaves_the_unchanged_as_it_was(shop: Shop, status: str) -> None:
    given: dict[str, Any] = {"succeeded": False, status: True}
    entry = shop.entry(**given)
    shop.has(a={"page": "old"})
    before = row(entry)
    resync_entry(entry.pk, actor=SCRIPT, only_if_changed=True)
    work()
    attempt = last(entry)
    assert (attempt.status, attempt.change, attempt.result) == ("unchanged", "unchanged", None)
    after = row(entry)
    moved = {name for name in before if before[name] != after[name]}
    assert moved <= {
        "attempt",
        "run_id",
        "status_changed_at",
        "updated_at",
        "content_hash",
        "automatic_attempts",
    }
    assert (Run.objects.get().unchanged, Run.objects.get().state) == (1, "finished")


def test_only_if_changed_processes_what_changed(shop: Shop) -> None:
    entry = shop.entry()
    shop.has(a={"page": "new"})
    resync_entry(entry.pk, actor=SCRIPT, only_if_changed=True)
    work()
    assert last(entry).status == "succeeded"
    assert entry.result == {"page": "new", "rescan": True, "change": "changed"}


def test_what_is_gone_is_marked_and_processed_with_what_is_stored(shop: Shop) -> None:
    entry = shop.entry()
    shop.has(b={"page": "other"})
    resync_entry(entry.pk, actor=SCRIPT)
    work()
    assert (last(entry).change, entry.payload) == ("gone", {"page": "old"})
    assert entry.result == {"page": "old", "rescan": True, "change": "gone"}
    gone_at = entry.gone_at
    assert gone_at is not None
    resync_entry(entry.pk, actor=SCRIPT, only_if_changed=True)
    work()
    assert (last(entry).status, last(entry).change) == ("unchanged", "gone")
    assert entry.gone_at == gone_at, "since when it is gone"
    shop.has(a={"page": "back"})
    resync_entry(entry.pk, actor=SCRIPT)
    work()
    assert (row(entry)["gone_at"], row(entry)["payload"]) == (None, {"page": "back"})


@pytest.mark.parametrize("status", ["pending", "succeeded", "failed", "discarded", "scheduled"])
def test_a_source_that_cannot_be_read_leaves_everything_as_it_was(shop: Shop, status: str) -> None:
    given: dict[str, Any] = {"succeeded": False}
    if status != "pending":
        given[status] = True
    entry = shop.entry(**given)
    before = row(entry)
    resync_entry(entry.pk, actor=SCRIPT)
    work()
    attempt = last(entry)
    assert (attempt.status, attempt.error_class) == ("failed", "SourceError")
    assert "nothing is at shelf.json" in attempt.error_message
    after = row(entry)
    moved = {name for name in before if before[name] != after[name]}
    assert moved <= {"attempt", "run_id", "status_changed_at", "updated_at", "automatic_attempts"}


def test_a_disabled_source_is_not_read(shop: Shop) -> None:
    entry = shop.entry()
    shop.has(a={"page": "new"})
    Source.objects.update(enabled=False)
    resync_entry(entry.pk, actor=SCRIPT)
    work()
    assert "disabled" in last(entry).error_message
    assert entry.payload == {"page": "old"}
    assert not shop.file.with_suffix(".readings").exists()


def test_what_cannot_be_stored_is_an_error_and_not_gone(shop: Shop) -> None:
    entry = shop.entry()
    shop.has(a={"page": "x" * 300_000})
    resync_entry(entry.pk, actor=SCRIPT)
    work()
    assert "larger than" in last(entry).error_message
    assert (entry.status, entry.gone_at, entry.payload) == ("succeeded", None, {"page": "old"})


def test_a_hand_made_edit_gives_way_to_the_source(shop: Shop) -> None:
    """What counts is what is stored, not what the last sync stored."""
    entry = shop.entry()
    shop.has(a={"page": "old"})
    resync_entry(entry.pk, actor=SCRIPT)
    work()
    Entry.objects.filter(pk=entry.pk).update(payload={"page": "edited"})
    resync_entry(entry.pk, actor=SCRIPT, only_if_changed=True)
    work()
    assert (last(entry).change, entry.payload) == ("changed", {"page": "old"})


def test_every_item_gets_an_outcome_with_its_reason(shop: Shop) -> None:
    resting = shop.entry("a")
    queued = shop.entry("b", succeeded=False, queued=True)
    running = shop.entry("c", succeeded=False, running=True)
    sourceless = EntryFactory.create(failed=True)
    outcome = resync_entries(
        [resting.pk, queued.pk, running.pk, sourceless.pk, 10**9], actor=SCRIPT
    )
    assert [item.reason for item in outcome.items] == [
        None,
        Reason.ALREADY_QUEUED,
        Reason.ALREADY_RUNNING,
        Reason.NO_SOURCE,
        Reason.NOT_FOUND,
    ]


def test_an_automatic_retry_of_a_resync_is_a_rescan_of_what_was_fetched(shop: Shop) -> None:
    entry = shop.entry()
    shop.has(a={"page": "new"})
    Entry.objects.filter(pk=entry.pk).update(kind="persistent", payload={"do": "transient"})
    shop.has(a={"do": "transient", "page": "new"})
    resync_entry(entry.pk, actor=SCRIPT)
    work()
    entry.refresh_from_db()
    assert entry.status == "scheduled"
    wake_entries([entry.pk], actor=SCRIPT)
    work()
    attempt = last(entry)
    assert (attempt.is_rescan, attempt.change) == (True, "")
    assert shop.readings == 1, "what was fetched is stored; it is not fetched with every try"


def test_a_worker_that_dies_before_it_claims_leaves_a_resync_to_the_next(shop: Shop) -> None:
    entries = [shop.entry(name) for name in "abc"]
    shop.has(**{name: {"page": "new"} for name in "abc"})
    resync_entries([e.pk for e in entries], actor=SCRIPT, only_if_changed=True)
    run = Run.objects.get()
    Run.objects.update(
        state="running", worker="dead", started_at=F("created_at"), lease_expires_at=F("created_at")
    )
    run.refresh_from_db()
    assert rescue(run) == 3
    following = Run.objects.get(state="queued")
    assert (following.resync, following.only_if_changed) == (True, True)
    work()
    assert {last(e).change for e in entries} == {"changed"}


def test_runs_are_of_one_source(shop: Shop, tmp_path: Path) -> None:
    other = Shop(tmp_path / "other.json")
    ids = [shop.entry("a", succeeded=False, failed=True).pk, other.entry("a").pk]
    resync_entries(ids, actor=SCRIPT)
    assert {run.source_id for run in Run.objects.all()} == {shop.source.pk, other.source.pk}
    assert retry_entries(ids, actor=SCRIPT).queued == 0
