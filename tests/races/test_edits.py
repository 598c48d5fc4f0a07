"""Edits against whatever else wants the same entry, in both orders of winner."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from entries import transitions
from entries.content import content_hash
from entries.models import Attempt, Edit, Entry
from entries.sources.base import SourceItem
from entries.storage import upsert_entries
from retry.errors import EntryChanged, NotRetryable
from retry.models import AuditEvent, Run
from retry.outcomes import ItemOutcome
from retry.reasons import Reason
from retry.service import edit_and_retry, retry_entries, submit
from tests.factories.entries import EntryFactory
from tests.races.test_transitions import in_order
from tests.support.asking import SCRIPT

pytestmark = pytest.mark.django_db(transaction=True)

MINE, THEIRS = {"by": "me"}, {"by": "them"}


@pytest.fixture
def entry() -> Entry:
    return EntryFactory.create(
        failed=True, kind="scripted", external_id="a", title="", payload={"by": "nobody"}
    )


def edit(entry: Entry, payload: dict[str, Any] | None = None) -> ItemOutcome | Exception:
    seen = content_hash(entry.title, entry.payload)
    try:
        return edit_and_retry(entry.pk, seen=seen, payload=payload or MINE, actor=SCRIPT)[0]
    except (EntryChanged, NotRetryable) as error:
        return error


def push() -> Any:
    return submit([SourceItem("a", "", THEIRS)], kind="scripted", actor=SCRIPT).items[0]


def sync() -> Any:
    return upsert_entries(source_id=None, kind="scripted", items=[SourceItem("a", "", THEIRS)])


def queued_run(entry: Entry) -> UUID:
    run_id = uuid4()
    assert transitions.queue([entry.pk], verb="retry", run_ids=[run_id]) == []
    return run_id


def assert_edited_once() -> None:
    stored = Entry.objects.get()
    assert (stored.status, stored.attempt) == ("queued", 2)
    assert Edit.objects.count() == Attempt.objects.filter(status="queued").count() == 1
    assert AuditEvent.objects.filter(verb="edit_and_retry").count() == Run.objects.count() == 1


def test_a_push_before_the_edit_wins(entry: Entry) -> None:
    pushed, edited = in_order(push, lambda: edit(entry))
    assert pushed.queued
    assert isinstance(edited, EntryChanged)
    stored = Entry.objects.get()
    assert (stored.payload, stored.attempt) == (THEIRS, 2)
    assert not Edit.objects.exists()
    assert not AuditEvent.objects.filter(verb="edit_and_retry").exists()


def test_a_push_after_the_edit_is_stored_into_what_is_queued(entry: Entry) -> None:
    edited, pushed = in_order(lambda: edit(entry), push)
    assert isinstance(edited, ItemOutcome)
    assert pushed.reason is Reason.ALREADY_QUEUED
    assert_edited_once()
    assert Entry.objects.get().payload == THEIRS
    assert Edit.objects.get().payload_after == MINE


def test_a_sync_before_the_edit_wins(entry: Entry) -> None:
    _, edited = in_order(sync, lambda: edit(entry))
    assert isinstance(edited, EntryChanged)
    stored = Entry.objects.get()
    assert (stored.payload, stored.status, stored.attempt) == (THEIRS, "failed", 1)
    assert not Run.objects.exists()
    assert not Edit.objects.exists()


def test_a_sync_after_the_edit_says_what_its_source_has(entry: Entry) -> None:
    _, stored = in_order(lambda: edit(entry), sync)
    assert stored.updated == [entry.pk]
    assert_edited_once()
    assert Entry.objects.get().payload == THEIRS


def test_a_sync_that_changes_nothing_is_no_change(entry: Entry) -> None:
    def sync_the_same() -> Any:
        item = SourceItem("a", entry.title, entry.payload)
        return upsert_entries(source_id=None, kind="scripted", items=[item])

    _, edited = in_order(sync_the_same, lambda: edit(entry))
    assert isinstance(edited, ItemOutcome)
    assert_edited_once()


def test_of_two_edits_one_wins(entry: Entry) -> None:
    won, lost = in_order(lambda: edit(entry, MINE), lambda: edit(entry, THEIRS))
    assert isinstance(won, ItemOutcome)
    assert isinstance(lost, EntryChanged)
    assert_edited_once()
    assert Entry.objects.get().payload == MINE


def test_a_retry_before_the_edit_wins(entry: Entry) -> None:
    retried, edited = in_order(lambda: retry_entries([entry.pk], actor=SCRIPT), lambda: edit(entry))
    assert retried.queued == 1
    assert isinstance(edited, NotRetryable)
    assert edited.reason is Reason.ALREADY_QUEUED
    assert Entry.objects.get().payload == entry.payload
    assert not Edit.objects.exists()


def test_a_retry_after_the_edit_finds_it_queued(entry: Entry) -> None:
    _, retried = in_order(lambda: edit(entry), lambda: retry_entries([entry.pk], actor=SCRIPT))
    assert retried.items[0].reason is Reason.ALREADY_QUEUED
    assert_edited_once()


def test_a_claim_before_the_edit_keeps_what_it_has(entry: Entry) -> None:
    run_id = queued_run(entry)
    claimed, edited = in_order(
        lambda: transitions.claim([entry.pk], run_id=run_id, worker="w"), lambda: edit(entry)
    )
    assert claimed[0].payload == entry.payload
    assert isinstance(edited, NotRetryable)
    stored = Entry.objects.get()
    assert (stored.status, stored.payload) == ("running", entry.payload)


def test_a_claim_after_the_edit_takes_the_new_payload(entry: Entry) -> None:
    edited = edit(entry)
    assert isinstance(edited, ItemOutcome)
    assert edited.run_id is not None
    run_id = edited.run_id
    claimed, refused = in_order(
        lambda: transitions.claim([entry.pk], run_id=run_id, worker="w"),
        lambda: edit(Entry.objects.get(), THEIRS),
    )
    assert claimed[0].payload == MINE
    assert isinstance(refused, NotRetryable)


def test_a_claim_of_an_older_run_gets_nothing(entry: Entry) -> None:
    old = uuid4()
    edited, claimed = in_order(
        lambda: edit(entry), lambda: transitions.claim([entry.pk], run_id=old, worker="w")
    )
    assert isinstance(edited, ItemOutcome)
    assert claimed == []
