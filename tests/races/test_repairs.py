"""Repairs against whatever else stores the same entry, in both orders of winner."""

from collections.abc import Callable
from typing import Any

import pytest

from entries.content import content_hash
from entries.models import Attempt, Edit, Entry
from entries.repairs import Repair
from entries.sources.base import SourceItem
from entries.storage import upsert_entries
from retry.dispatcher import pacing
from retry.models import Action, Operation, Run
from retry.operations.items import list_items
from retry.operations.selection import Selection
from retry.reasons import Reason
from retry.service import cancel_operation, start_operation, submit, undo_repair
from tests.factories.entries import EntryFactory
from tests.races.test_transitions import in_order
from tests.support.asking import SCRIPT

pytestmark = pytest.mark.django_db(transaction=True)

OLD, THEIRS = {"by": "nobody"}, {"by": "them"}
MEND = Repair(patch=({"op": "add", "path": "/mended", "value": True},))


@pytest.fixture
def entry() -> Entry:
    return EntryFactory.create(failed=True, kind="scripted", external_id="a", title="", payload=OLD)


@pytest.fixture
def operation(entry: Entry) -> Operation:
    ids = Selection(ids=(entry.pk,))
    return start_operation(ids, action=Action.REPAIR, repair=MEND, actor=SCRIPT)


@pytest.fixture
def repair(operation: Operation) -> Callable[[], int]:
    return lambda: pacing.step(operation.pk)


def push() -> Any:
    return submit([SourceItem("a", "", THEIRS)], kind="scripted", actor=SCRIPT).items[0]


def sync() -> Any:
    return upsert_entries(source_id=None, kind="scripted", items=[SourceItem("a", "", THEIRS)])


def reason(operation: Operation) -> str | None:
    (item,) = list_items(operation, actor=SCRIPT, limit=10).items
    return item.reason


def stored() -> Entry:
    """Return the entry, with a hash of what it holds."""
    found = Entry.objects.get()
    assert found.content_hash == content_hash(found.title, found.payload)
    return found


def assert_repaired_once(operation: Operation, *, before: dict[str, Any]) -> None:
    assert (stored().status, stored().attempt) == ("queued", 2)
    edit = Edit.objects.get()
    assert (edit.payload_before, edit.payload_after) == (before, {**before, "mended": True})
    assert Attempt.objects.get(status="queued").run_id == Run.objects.get(state="queued").pk
    assert reason(operation) is None


def test_a_push_before_the_repair_wins(operation: Operation, repair: Callable[[], int]) -> None:
    pushed, _ = in_order(push, repair)
    assert pushed.queued
    assert (stored().payload, stored().attempt) == (THEIRS, 2)
    assert reason(operation) == Reason.ALREADY_QUEUED
    assert not Edit.objects.exists()
    assert Run.objects.filter(state="queued").count() == 1


def test_a_push_after_the_repair_is_stored_into_what_is_queued(
    operation: Operation, repair: Callable[[], int]
) -> None:
    _, pushed = in_order(repair, push)
    assert pushed.reason is Reason.ALREADY_QUEUED
    assert_repaired_once(operation, before=OLD)
    assert stored().payload == THEIRS


def test_a_sync_before_the_repair_is_what_it_repairs(
    operation: Operation, repair: Callable[[], int]
) -> None:
    in_order(sync, repair)
    assert_repaired_once(operation, before=THEIRS)
    assert stored().payload == {**THEIRS, "mended": True}


def test_a_sync_after_the_repair_says_what_its_source_has(
    operation: Operation, repair: Callable[[], int]
) -> None:
    _, synced = in_order(repair, sync)
    assert synced.updated == [Run.objects.get().entry_ids[0]]
    assert_repaired_once(operation, before=OLD)
    assert stored().payload == THEIRS


def test_what_was_stored_since_a_repair_is_not_undone(
    operation: Operation, repair: Callable[[], int]
) -> None:
    in_order(repair, sync)
    cancel_operation(operation.pk, actor=SCRIPT)
    pacing.pace()
    assert stored().status == "failed"
    undone = undo_repair(operation.pk, actor=SCRIPT)
    pacing.pace()
    assert reason(undone) == Reason.CHANGED_SINCE
    assert stored().payload == THEIRS
