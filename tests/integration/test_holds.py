"""Holds: what is held waits wherever it comes from, and goes on by itself, the oldest first."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from entries.errors import UnknownKind
from entries.models import Entry
from retry import execution, queue
from retry.dispatcher import Dispatcher
from retry.errors import AlreadyOnHold, HoldLifted, HoldNotFound, NotPermitted, SourceNotFound
from retry.held import held
from retry.holds import control as holds
from retry.interruption import SECONDS
from retry.lingering import claim_next
from retry.models import Action, AuditEvent, Hold, Run
from retry.operations import control
from retry.operations.progress import progress
from retry.outcomes import Actor, Doorway
from retry.reconcile.repair import rescue
from retry.runs import claim_run
from retry.service import retry_entries
from retry.waiting import startable
from retry.worker import run_worker
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.asking import SCRIPT, queued_entries
from tests.support.operations import FAILED, consistent, failed, start
from tests.support.servers import wait_until

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nobody_asked_to_stop(settings: "Settings") -> Iterator[None]:
    settings.REDRIVE_TICK_SECONDS = 0.05
    settings.REDRIVE_CLAIM_SECONDS = 0.2
    yield
    execution.shutdown.clear()


def work() -> None:
    for name in ("default", "bulk"):
        run_worker(name, burst=True)


def until_nothing_moves() -> None:
    """Ticks and work, until three looks in a row find nothing to do."""
    dispatcher = Dispatcher()
    quiet: list[bool] = []

    def rests() -> bool:
        quiet.append(not dispatcher.tick().busy)
        work()
        return len(quiet) > 3 and all(quiet[-3:])

    wait_until(rests, timeout=30)


def statuses(ids: list[int]) -> set[str]:
    return set(Entry.objects.filter(pk__in=ids).values_list("status", flat=True))


def order(ledger: Path) -> list[int]:
    return [int(line.split()[0]) for line in ledger.read_text().splitlines()]


# --- the verbs --------------------------------------------------------------------------------


def test_a_hold_says_who_since_when_and_why_and_is_audited(operator: "User") -> None:
    hold = holds.hold_kind("scripted", actor=SCRIPT, reason="upstream is down")
    assert (hold.kind, hold.source, hold.automatic) == ("scripted", None, False)
    assert (hold.actor_label, hold.reason) == ("script", "upstream is down")
    assert timezone.now() - hold.created_at < timedelta(seconds=10)
    event = AuditEvent.objects.get(verb="hold")
    assert (event.actor_label, event.reason, event.count) == ("script", "upstream is down", 1)
    lifted = holds.lift(hold.pk, actor=SCRIPT, reason="it is back")
    assert (lifted.lifted_by, lifted.lifted_reason) == ("script", "it is back")
    assert lifted.lifted_at is not None
    event = AuditEvent.objects.get(verb="lift")
    assert event.before == {"kind": "scripted", "automatic": False, "reason": "upstream is down"}
    with pytest.raises(NotPermitted):
        holds.hold_kind("scripted", actor=Actor.of(operator, doorway=Doorway.API))


def test_what_makes_no_sense_is_refused_and_changes_nothing() -> None:
    source = SourceFactory.create(slug="news")
    kind, of_source = (
        holds.hold_kind("scripted", actor=SCRIPT),
        holds.hold_source("news", actor=SCRIPT),
    )
    before = list(Hold.objects.values())
    with pytest.raises(AlreadyOnHold, match="Kind scripted is on hold already"):
        holds.hold_kind("scripted", actor=SCRIPT)
    with pytest.raises(AlreadyOnHold, match="Source news is on hold already"):
        holds.hold_source("news", actor=SCRIPT)
    with pytest.raises(UnknownKind):
        holds.hold_kind("nope", actor=SCRIPT)
    with pytest.raises(SourceNotFound):
        holds.hold_source("nope", actor=SCRIPT)
    with pytest.raises(HoldNotFound):
        holds.lift(10**9, actor=SCRIPT)
    assert list(Hold.objects.values()) == before
    holds.lift(kind.pk, actor=SCRIPT)
    holds.lift(of_source.pk, actor=SCRIPT)
    with pytest.raises(HoldLifted, match="by script"):
        holds.lift(kind.pk, actor=SCRIPT)
    again = holds.hold_source("news", actor=SCRIPT)
    assert again.pk != of_source.pk
    assert held().source_ids == {source.pk}


def test_a_person_takes_over_what_the_breaker_holds() -> None:
    automatic = holds.trip("scripted", actor=Actor.system("breaker"), reason="503", probe_after=5)
    assert automatic.automatic
    assert automatic.next_probe_at is not None
    taken = holds.hold_kind("scripted", actor=SCRIPT, reason="until Monday")
    assert taken.pk == automatic.pk
    taken.refresh_from_db()
    assert (taken.automatic, taken.actor_label, taken.reason) == (False, "script", "until Monday")
    assert (taken.next_probe_at, taken.probe_run_id) == (None, None)
    assert [e.before for e in AuditEvent.objects.filter(verb="hold").order_by("id")][1] == {
        "kind": "scripted",
        "automatic": True,
        "reason": "503",
    }
    with pytest.raises(AlreadyOnHold):
        holds.trip("scripted", actor=Actor.system("breaker"), reason="503", probe_after=5)


# --- nothing of it starts, everything waits, and goes on --------------------------------------


def test_a_click_waits_and_goes_on_at_the_next_look_after_the_lift(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    hold = holds.hold_kind("scripted", actor=SCRIPT)
    ids = [queued_entries(ledger=str(ledger))[0] for _ in range(5)]
    dispatcher = Dispatcher()
    for _ in range(3):
        assert not dispatcher.tick().busy
        work()
    assert statuses(ids) == {"queued"}
    assert not startable().exists(), "neither missing in Redis nor to be handed over"
    assert set(Run.objects.values_list("dispatches", flat=True)) == {1}
    holds.lift(hold.pk, actor=SCRIPT)
    assert dispatcher.tick().handed_over == 5, "at once: it is known that their jobs are used up"
    work()
    assert statuses(ids) == {"succeeded"}
    assert order(ledger) == ids


def test_redis_emptied_meanwhile_is_no_loss() -> None:
    hold = holds.hold_kind("scripted", actor=SCRIPT)
    ids = queued_entries(3)
    queue.client().flushdb()
    until_nothing_moves()
    assert statuses(ids) == {"queued"}
    holds.lift(hold.pk, actor=SCRIPT)
    until_nothing_moves()
    assert statuses(ids) == {"succeeded"}


def test_due_retries_are_not_woken_and_then_the_oldest_go_first(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    made = [
        EntryFactory.create(
            scheduled=True,
            kind="scripted",
            payload={"ledger": str(ledger)},
            next_attempt_at=timezone.now() - timedelta(seconds=number),
        ).pk
        for number in range(60)
    ]
    other = EntryFactory.create(scheduled=True, kind="grouped", payload={})
    hold = holds.hold_kind("scripted", actor=SCRIPT)
    until_nothing_moves()
    assert statuses(made) == {"scheduled"}
    assert statuses([other.pk]) == {"succeeded"}
    holds.lift(hold.pk, actor=SCRIPT)
    until_nothing_moves()
    assert statuses(made) == {"succeeded"}
    assert order(ledger) == made, "by age, not by who was due longest"


def test_what_waited_in_a_run_goes_before_what_is_woken(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    hold = holds.hold_kind("scripted", actor=SCRIPT)
    first = queued_entries(2, ledger=str(ledger))
    second = EntryFactory.create(
        scheduled=True, kind="scripted", payload={"ledger": str(ledger)}
    ).pk
    work()
    holds.lift(hold.pk, actor=SCRIPT)
    until_nothing_moves()
    assert order(ledger) == [*first, second]


def test_a_held_source_waits_and_the_others_go_on() -> None:
    sources = [SourceFactory.create(slug=slug) for slug in ("news", "blog")]
    ids = [
        EntryFactory.create(failed=True, kind="scripted", source=source, payload={}).pk
        for source in sources
    ]
    ids.append(EntryFactory.create(failed=True, kind="scripted", payload={}).pk)
    due = EntryFactory.create(scheduled=True, kind="scripted", source=sources[0], payload={}).pk
    hold = holds.hold_source("news", actor=SCRIPT)
    retry_entries(ids, actor=SCRIPT)
    until_nothing_moves()
    assert [Entry.objects.get(pk=id_).status for id_ in (*ids, due)] == [
        "queued",
        "succeeded",
        "succeeded",
        "scheduled",
    ]
    holds.lift(hold.pk, actor=SCRIPT)
    until_nothing_moves()
    assert statuses([*ids, due]) == {"succeeded"}


def test_a_run_at_work_finishes_the_entry_at_hand_and_the_rest_waits(tmp_path: Path) -> None:
    gate, ledger = tmp_path / "gate", tmp_path / "ledger"
    payload = {"wait_for": str(gate), "ledger": str(ledger)}
    ids = queued_entries(4, kind="patient", **payload)
    run = Run.objects.get()
    made: list[Hold] = []

    def hold_in_the_middle() -> None:
        try:
            wait_until(lambda: Entry.objects.filter(status="running").exists())
            made.append(holds.hold_kind("patient", actor=SCRIPT))
            began = time.monotonic()
            wait_until(lambda: time.monotonic() - began > SECONDS)
            gate.touch()
        finally:
            connection.close()

    thread = threading.Thread(target=hold_in_the_middle)
    thread.start()
    execution.execute(run.pk, worker="test")
    thread.join()
    assert [Entry.objects.get(pk=id_).status for id_ in ids] == ["succeeded", *["queued"] * 3]
    rest = Run.objects.exclude(pk=run.pk).get()
    assert (rest.size, rest.created_at, rest.dispatches) == (3, run.created_at, 0)
    until_nothing_moves()
    assert len(order(ledger)) == 1
    holds.lift(made[0].pk, actor=SCRIPT)
    until_nothing_moves()
    assert order(ledger) == ids
    assert statuses(ids) == {"succeeded"}


def test_what_is_taken_from_a_dead_worker_waits_as_well() -> None:
    ids = queued_entries(2)
    run_id = Run.objects.values_list("pk", flat=True).get()
    assert claim_run(run_id, worker="gone") is not None
    hold = holds.hold_kind("scripted", actor=SCRIPT)
    Run.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert rescue(Run.objects.get()) == 2
    until_nothing_moves()
    assert statuses(ids) == {"queued"}
    holds.lift(hold.pk, actor=SCRIPT)
    until_nothing_moves()
    assert statuses(ids) == {"succeeded"}


# --- operations ------------------------------------------------------------------------------


def test_an_operation_waits_for_what_is_held_and_does_the_rest() -> None:
    failed(25)
    for _ in range(3):
        EntryFactory.create(failed=True, kind="scripted", payload={})
    hold = holds.hold_kind("grouped", actor=SCRIPT)
    operation = start()
    until_nothing_moves()
    found = progress(operation.pk)
    assert (found.planned, found.succeeded, found.operation.state) == (25, 3, "running")
    assert consistent(found)
    holds.lift(hold.pk, actor=SCRIPT)
    until_nothing_moves()
    found = progress(operation.pk)
    assert (found.succeeded, found.finished) == (28, True)


def test_a_canary_on_hold_is_waited_for() -> None:
    failed(25)
    hold = holds.hold_kind("grouped", actor=SCRIPT)
    operation = start(canary_size=5, max_failure_rate=0.1)
    until_nothing_moves()
    assert progress(operation.pk).planned == 25
    holds.lift(hold.pk, actor=SCRIPT)
    until_nothing_moves()
    assert progress(operation.pk).succeeded == 25


def test_a_work_horse_does_not_go_on_with_held_runs() -> None:
    failed(25)
    start()
    Dispatcher().tick()
    first = Run.objects.order_by("position")[0]
    claimed = claim_run(first.pk, worker="test")
    assert claimed is not None
    hold = holds.hold_kind("grouped", actor=SCRIPT)
    assert claim_next(claimed, worker="test") is None
    holds.lift(hold.pk, actor=SCRIPT)
    assert claim_next(claimed, worker="test") is not None


def test_what_is_held_can_be_cancelled_and_discarded() -> None:
    ids = failed(15)
    operation = start()
    Dispatcher().tick()
    holds.hold_kind("grouped", actor=SCRIPT)
    work()
    control.cancel(operation.pk, actor=SCRIPT)
    until_nothing_moves()
    found = progress(operation.pk)
    assert (found.cancelled, found.finished) == (15, True)
    assert statuses(ids) == {"failed"}
    discarded = control.start(FAILED, action=Action.DISCARD, actor=SCRIPT)
    until_nothing_moves()
    assert progress(discarded.pk).succeeded == 15
    assert statuses(ids) == {"discarded"}


def test_a_claim_is_refused_as_often_as_it_is_tried() -> None:
    queued_entries()
    run_id: UUID = Run.objects.values_list("pk", flat=True).get()
    holds.hold_kind("scripted", actor=SCRIPT)
    for _ in range(2):
        assert not execution.execute(run_id, worker=f"test:{uuid4().hex}")
    assert Run.objects.get().state == "queued"
    assert Run.objects.get().dispatched_at is None
