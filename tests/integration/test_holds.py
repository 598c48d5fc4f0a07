"""What is held waits wherever it comes from, and goes on by itself, the oldest first."""

import threading
import time
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from entries.models import Entry
from retry import queue
from retry.dispatcher.loop import Dispatcher
from retry.holds import control as holds
from retry.models import Action, Hold, Run
from retry.operations import control
from retry.operations.progress import read_progress
from retry.runs.backlog import find_startable_runs
from retry.runs.lifecycle import claim_next, claim_run
from retry.runs.rescue import rescue
from retry.service import retry_entries
from retry.worker import execution
from retry.worker.claim import STOP_CHECK_SECONDS
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.asking import SCRIPT, queued_entries
from tests.support.holds import settle, statuses, work
from tests.support.operations import FAILED, consistent, failed, start
from tests.support.servers import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("short_patience")]


def order(ledger: Path) -> list[int]:
    return [int(line.split()[0]) for line in ledger.read_text().splitlines()]


def test_a_click_waits_and_goes_on_at_the_next_look_after_the_lift(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    hold = holds.hold_kind("scripted", actor=SCRIPT)
    ids = [queued_entries(ledger=str(ledger))[0] for _ in range(5)]
    dispatcher = Dispatcher()
    for _ in range(3):
        assert not dispatcher.tick().busy
        work()
    assert statuses(ids) == {"queued"}
    assert not find_startable_runs().exists(), "neither missing in Redis nor to be handed over"
    assert set(Run.objects.values_list("dispatches", flat=True)) == {0}, "they have no jobs"
    holds.lift(hold.pk, actor=SCRIPT)
    assert dispatcher.tick().handed_over == 5, "at once"
    work()
    assert statuses(ids) == {"succeeded"}
    assert order(ledger) == ids


def test_redis_emptied_meanwhile_is_no_loss() -> None:
    hold = holds.hold_kind("scripted", actor=SCRIPT)
    ids = queued_entries(3)
    queue.get_client().flushdb()
    settle()
    assert statuses(ids) == {"queued"}
    holds.lift(hold.pk, actor=SCRIPT)
    settle()
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
    settle()
    assert statuses(made) == {"scheduled"}
    assert statuses([other.pk]) == {"succeeded"}
    holds.lift(hold.pk, actor=SCRIPT)
    settle()
    assert statuses(made) == {"succeeded"}
    assert order(ledger) == made, "by age, not by who was due longest"


def test_what_was_tried_before_goes_before_what_waits_for_its_first_try(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    payload = {"ledger": str(ledger)}
    tried = EntryFactory.create(scheduled=True, kind="scripted", payload=payload).pk
    hold = holds.hold_kind("scripted", actor=SCRIPT)
    waiting = queued_entries(2, ledger=str(ledger))
    work()
    holds.lift(hold.pk, actor=SCRIPT)
    settle()
    assert order(ledger) == [tried, *waiting]


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
    settle()
    assert [Entry.objects.get(pk=id_).status for id_ in (*ids, due)] == [
        "queued",
        "succeeded",
        "succeeded",
        "scheduled",
    ]
    holds.lift(hold.pk, actor=SCRIPT)
    settle()
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
            wait_until(lambda: time.monotonic() - began > STOP_CHECK_SECONDS)
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
    settle()
    assert len(order(ledger)) == 1
    holds.lift(made[0].pk, actor=SCRIPT)
    settle()
    assert order(ledger) == ids
    assert statuses(ids) == {"succeeded"}


def test_what_is_taken_from_a_dead_worker_waits_as_well() -> None:
    ids = queued_entries(2)
    run_id = Run.objects.values_list("pk", flat=True).get()
    assert claim_run(run_id, worker="gone") is not None
    hold = holds.hold_kind("scripted", actor=SCRIPT)
    Run.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert rescue(Run.objects.get()) == 2
    settle()
    assert statuses(ids) == {"queued"}
    holds.lift(hold.pk, actor=SCRIPT)
    settle()
    assert statuses(ids) == {"succeeded"}


def test_an_operation_waits_for_what_is_held_and_does_the_rest() -> None:
    failed(25)
    for _ in range(3):
        EntryFactory.create(failed=True, kind="scripted", payload={})
    hold = holds.hold_kind("grouped", actor=SCRIPT)
    operation = start()
    settle()
    found = read_progress(operation.pk)
    assert (found.planned, found.succeeded, found.operation.state) == (25, 3, "running")
    assert consistent(found)
    holds.lift(hold.pk, actor=SCRIPT)
    settle()
    found = read_progress(operation.pk)
    assert (found.succeeded, found.finished) == (28, True)


def test_a_canary_on_hold_is_waited_for() -> None:
    failed(25)
    hold = holds.hold_kind("grouped", actor=SCRIPT)
    operation = start(canary_size=5, max_failure_rate=0.1)
    settle()
    assert read_progress(operation.pk).planned == 25
    holds.lift(hold.pk, actor=SCRIPT)
    settle()
    assert read_progress(operation.pk).succeeded == 25


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
    settle()
    found = read_progress(operation.pk)
    assert (found.cancelled, found.finished) == (15, True)
    assert statuses(ids) == {"failed"}
    discarded = control.start(FAILED, action=Action.DISCARD, actor=SCRIPT)
    settle()
    assert read_progress(discarded.pk).succeeded == 15
    assert statuses(ids) == {"discarded"}


def test_a_claim_is_refused_as_often_as_it_is_tried() -> None:
    queued_entries()
    run_id: UUID = Run.objects.values_list("pk", flat=True).get()
    holds.hold_kind("scripted", actor=SCRIPT)
    for _ in range(2):
        assert not execution.execute(run_id, worker=f"test:{uuid4().hex}")
    assert Run.objects.get().state == "queued"
    assert Run.objects.get().dispatched_at is None
