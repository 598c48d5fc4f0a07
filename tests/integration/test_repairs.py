"""Repair in bulk: payloads patched and retried by an operation, and undone where nobody cared."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from entries.content import content_hash
from entries.filters import EntryFilter
from entries.models import Edit, Entry
from entries.repairs import Repair
from retry.dispatcher import pacing
from retry.dispatcher.lane import Lane
from retry.dispatcher.pacing import pace
from retry.errors import NotPermitted, OperationNotFound, RepairRefused
from retry.models import Action, AuditEvent, Operation, Run
from retry.operations import freeze
from retry.operations.items import list_items
from retry.operations.pace import Pace
from retry.operations.selection import Selection
from retry.outcomes import Actor, Channel
from retry.service import cancel_operation, pause_operation, start_operation, undo_repair
from tests.conftest import grant
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT
from tests.support.operations import to_the_end

pytestmark = pytest.mark.django_db(transaction=True)

FAILED = Selection(filter=EntryFilter(status="failed"))  # type: ignore[arg-type]
MEND = Repair(patch=({"op": "replace", "path": "/do", "value": "succeed"},))


def failed(count: int = 1, **payload: Any) -> list[Entry]:
    made = [
        EntryFactory.create(failed=True, kind="scripted", payload={"do": "fail", "n": n} | payload)
        for n in range(count)
    ]
    for entry in made:
        entry.save()  # with its hash
    return made


def start(repair: Repair = MEND, selection: Selection = FAILED, **options: Any) -> Operation:
    return start_operation(selection, action=Action.REPAIR, repair=repair, actor=SCRIPT, **options)


def contents() -> list[Any]:
    columns = ("pk", "title", "payload", "content_hash", "upstream")
    return list(Entry.objects.order_by("pk").values_list(*columns))


def reasons(operation: Operation) -> dict[int, str | None]:
    page = list_items(operation, actor=SCRIPT, limit=100)
    return {item.entry_id: item.reason for item in page.items}


def test_payloads_are_repaired_retried_and_undone_with_their_hashes() -> None:
    failed(30)
    before = contents()
    operation = start(reason="INC-42")
    found = to_the_end(operation)
    assert (found.succeeded, found.failed, found.skipped) == (30, 0, {})
    assert {entry.payload["do"] for entry in Entry.objects.all()} == {"succeed"}
    assert {entry.status for entry in Entry.objects.all()} == {"succeeded"}
    assert all(e.content_hash == content_hash(e.title, e.payload) for e in Entry.objects.all())
    assert Edit.objects.filter(attempt=2, payload_before__do="fail").count() == 30
    undone = undo_repair(operation.pk, actor=SCRIPT)
    pace()
    undone.refresh_from_db()
    assert (undone.total, undone.state) == (30, "completed")
    assert contents() == before
    assert {entry.status for entry in Entry.objects.all()} == {"succeeded"}, "no status moves"


def test_the_audit_says_what_was_changed_and_by_which_patch() -> None:
    failed()
    operation = start(reason="INC-42")
    event = AuditEvent.objects.get(verb="start_repair")
    assert event.after is not None
    assert event.after["repair"] == MEND.data()
    assert (event.reason, event.operation_id) == ("INC-42", operation.pk)
    undo_repair(operation.pk, actor=SCRIPT)
    assert AuditEvent.objects.filter(verb="start_undo").count() == 1


def test_the_audit_masks_secrets_in_the_patch_and_names_what_it_narrows() -> None:
    failed()
    step = {"op": "add", "path": "/password", "value": "hunter2"}
    first = start(Repair(patch=(step,)))
    narrowed = Selection(failed_of=first.pk, filter=EntryFilter(kind="scripted"))
    start_operation(narrowed, action=Action.RETRY, actor=SCRIPT)
    repair, retry = AuditEvent.objects.filter(verb__startswith="start_").order_by("pk")
    assert repair.after is not None
    assert repair.after["repair"]["patch"] == [{**step, "value": "***"}]
    assert retry.after == {"failed_of": str(first.pk), "filter": {"kind": "scripted"}}


def test_a_repair_by_a_name_that_is_gone_leaves_every_entry_alone() -> None:
    (entry,) = failed()
    operation = start()
    Operation.objects.filter(pk=operation.pk).update(repair={"name": "of-an-older-release"})
    pace()
    operation.refresh_from_db()
    assert operation.state == "completed"
    assert reasons(operation) == {entry.pk: "repair_misfit"}


def test_every_entry_gets_an_outcome_with_its_reason() -> None:
    (good,) = failed()
    misfit = EntryFactory.create(failed=True, kind="scripted", payload={"n": 1})
    same = EntryFactory.create(failed=True, kind="scripted", payload={"do": "succeed"})
    page = EntryFactory.create(failed=True, payload={"do": "x", "url": "nowhere"})
    running = EntryFactory.create(running=True, kind="scripted", payload={"do": "fail"})
    ids = (good.pk, misfit.pk, same.pk, page.pk, running.pk, 10**9)
    operation = start(selection=Selection(ids=ids))
    pace()
    assert reasons(operation) == {
        good.pk: None,
        misfit.pk: "repair_misfit",
        same.pk: "unchanged",
        page.pk: "content_refused",
        running.pk: "already_running",
        10**9: "not_found",
    }
    untouched = Entry.objects.exclude(pk=good.pk)
    assert {e.payload.get("do") for e in untouched} == {None, "succeed", "x", "fail"}
    assert Edit.objects.count() == 1


def test_a_scheduled_entry_does_not_wait() -> None:
    due = timezone.now() + timedelta(hours=1)
    entry = EntryFactory.create(
        scheduled=True, next_attempt_at=due, kind="scripted", payload={"do": "fail"}
    )
    found = to_the_end(start(selection=Selection(ids=(entry.pk,))))
    assert found.succeeded == 1


def test_it_is_paced_paused_and_cancelled_like_every_operation() -> None:
    failed(6)
    operation = start(pace=Pace(canary_size=2))
    pace()
    changed = Entry.objects.filter(payload__do="succeed")
    assert changed.count() == 2, "the canary alone is repaired"
    pause_operation(operation.pk, actor=SCRIPT)
    pace()
    assert changed.count() == 2
    cancel_operation(operation.pk, actor=SCRIPT)
    pace()
    assert changed.count() == 2
    assert Entry.objects.filter(status="failed").count() == 6, "what was queued returned"


def test_undo_leaves_what_was_changed_since() -> None:
    first, second, third = failed(3)
    operation = start()
    to_the_end(operation)
    Entry.objects.filter(pk=second.pk).update(payload={"do": "succeed", "by": "somebody"})
    Entry.objects.filter(pk=third.pk).update(title="Another")
    undone = undo_repair(operation.pk, actor=SCRIPT)
    pace()
    assert reasons(undone) == {
        first.pk: None,
        second.pk: "changed_since",
        third.pk: "changed_since",
    }
    by_id = Entry.objects.in_bulk()
    assert by_id[first.pk].payload["do"] == "fail"
    assert by_id[second.pk].payload == {"do": "succeed", "by": "somebody"}
    assert by_id[third.pk].payload["do"] == "succeed"


def test_undoing_twice_changes_nothing_more() -> None:
    failed(2)
    before = contents()
    operation = start()
    to_the_end(operation)
    undo_repair(operation.pk, actor=SCRIPT)
    pace()
    again = undo_repair(operation.pk, actor=SCRIPT)
    pace()
    assert set(reasons(again).values()) == {"changed_since"}
    assert contents() == before


def test_an_undo_concerns_its_own_repair_alone() -> None:
    failed()
    before = contents()
    first = start()
    to_the_end(first)
    with_note = Repair(patch=({"op": "add", "path": "/note", "value": "x"},))
    entry = EntryFactory.create(failed=True, kind="scripted", payload={"do": "succeed"})
    second = start(with_note, Selection(ids=(entry.pk,)))
    to_the_end(second)
    undo_repair(first.pk, actor=SCRIPT)
    pace()
    assert contents()[:1] == before
    assert Entry.objects.get(pk=entry.pk).payload == {"do": "succeed", "note": "x"}


def test_only_a_repair_can_be_undone() -> None:
    ids = tuple(entry.pk for entry in failed())
    retry = start_operation(Selection(ids=ids), action=Action.RETRY, actor=SCRIPT)
    with pytest.raises(OperationNotFound):
        undo_repair(retry.pk, actor=SCRIPT)


def test_a_repair_says_what_it_changes_and_nothing_else_does() -> None:
    failed()
    with pytest.raises(RepairRefused):
        start_operation(FAILED, action=Action.REPAIR, actor=SCRIPT)
    with pytest.raises(RepairRefused):
        start_operation(FAILED, action=Action.RETRY, repair=MEND, actor=SCRIPT)
    assert not Operation.objects.exists()
    assert not Run.objects.exists()


@pytest.mark.parametrize("permission", ["entries.change_entry", "entries.retry_entry"])
def test_it_needs_both_permissions(permission: str, reader: Any) -> None:
    failed()
    actor = Actor.from_user(grant(reader, permission), channel=Channel.ADMIN)
    with pytest.raises(NotPermitted):
        start_operation(FAILED, action=Action.REPAIR, repair=MEND, actor=actor)
    assert not Operation.objects.exists()


def test_a_step_begins_no_further_run_when_its_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    failed(3)
    operation = start(pace=Pace(rate_per_second=1.0))  # a run for each entry
    Operation.objects.update(rate_per_second=None)
    monkeypatch.setattr(pacing, "REPAIR_SECONDS", -1.0)
    assert [pacing.step(operation.pk) for _ in range(4)] == [1, 1, 1, 0]
    assert to_the_end(operation).succeeded == 3


def test_runs_are_small_and_nothing_of_an_undo_starts_beside_its_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(freeze, "LARGEST_REWRITTEN", 2)
    monkeypatch.setattr(pacing, "REPAIR_ENTRIES", 2)
    failed(6)
    operation = start()
    assert sorted(Run.objects.values_list("size", flat=True)) == [2, 2, 2]
    assert to_the_end(operation).succeeded == 6
    undone = undo_repair(operation.pk, actor=SCRIPT)
    with Lane() as lane:
        assert [pacing.step(undone.pk, lane=lane) for _ in range(4)] == [2, 2, 2, 0]
