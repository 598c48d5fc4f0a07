"""Which dispatcher acts, and what a step that fails costs."""

import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, connections
from django.db.models.functions import Now

from entries import transitions
from entries.models import Attempt, Entry
from retry.dispatcher import leadership, loop
from retry.dispatcher.leadership import Leadership
from retry.dispatcher.loop import Dispatcher
from retry.models import Action, AuditEvent, Heartbeat, Operation, Run
from retry.operations import control
from retry.operations.selection import Selection
from retry.runs.lifecycle import claim_run
from retry.worker import run_worker
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT, queued_entries

pytestmark = pytest.mark.django_db(transaction=True)


def test_who_holds_the_lease_acts_and_nobody_else() -> None:
    first, second = Dispatcher(holder="first"), Dispatcher(holder="second")
    assert first.tick().acted
    assert not second.tick().acted
    assert first.tick().acted, "it renews"
    Heartbeat.objects.update(lease_until=Now() - timedelta(seconds=1))
    assert second.tick().acted, "it has lapsed"
    assert not first.tick().acted


def test_who_leaves_in_order_is_followed_at_once() -> None:
    first, second = Dispatcher(holder="first"), Dispatcher(holder="second")
    assert first.tick().acted
    second.stop()
    assert not second.tick().acted, "only the holder can give it up"
    first.stop()
    assert second.tick().acted


def test_a_step_that_finds_the_lease_lost_stops_acting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leadership, "_RENEW_SECONDS", 0.0)
    queued_entries(1)
    Run.objects.update(dispatches=0, dispatched_at=None)

    def stopped_meanwhile(*_: object) -> int:
        Heartbeat.objects.update(holder="another", lease_until=Now() + timedelta(seconds=10))
        return 0

    monkeypatch.setattr(loop, "watch", stopped_meanwhile)
    assert not Dispatcher().tick().acted
    assert Run.objects.get().dispatches == 0, "what comes after it was not done"
    assert Heartbeat.objects.get().holder == "another"


def test_a_step_that_fails_costs_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    queued_entries(1)
    Run.objects.update(dispatches=0, dispatched_at=None)

    def broken(*_: object) -> int:
        raise ValueError("malformed")

    monkeypatch.setattr(loop, "watch", broken)
    tick = Dispatcher().tick()
    assert (tick.broken, tick.handed_over) == (1, 1)


def lapsed_run() -> Run:
    ids = queued_entries(2)
    run_id = Entry.objects.values_list("run_id", flat=True).get(pk=ids[0])
    assert run_id is not None
    assert claim_run(run_id, worker="gone") is not None
    transitions.claim(ids, run_id=run_id, worker="gone")
    Run.objects.filter(pk=run_id).update(lease_expires_at=Now() - timedelta(seconds=5))
    return Run.objects.get(pk=run_id)


def test_a_run_whose_rows_somebody_holds_keeps_no_other_from_its_rescue() -> None:
    held, free = lapsed_run(), lapsed_run()
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute(
                "SELECT FROM entries_entry WHERE id = %s FOR UPDATE", [held.entry_ids[0]]
            )
        tick = Dispatcher().tick()
        assert (tick.rescued, tick.broken) == (2, 1)
        assert Run.objects.get(pk=free.pk).state == "finished"
    finally:
        other.close()
    assert Dispatcher().tick().rescued == 2


def test_two_that_act_at_once_do_no_harm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As when one was stopped in the middle of a step and continued after its lease had lapsed."""
    monkeypatch.setattr(Leadership, "take", lambda _: True)
    ledger = tmp_path / "ledger"
    payload = {"ledger": str(ledger)}
    for run in (lapsed_run(), lapsed_run()):
        Entry.objects.filter(pk__in=run.entry_ids).update(payload=payload)
    EntryFactory.create_batch(20, scheduled=True, kind="scripted", payload=payload)
    queued_entries(10, **payload)
    Run.objects.filter(state="queued").update(dispatches=0, dispatched_at=None)
    many = EntryFactory.create_batch(200, failed=True, kind="grouped", payload=payload)
    ids = tuple(entry.pk for entry in many)
    control.start(Selection(ids=ids), action=Action.RETRY, actor=SCRIPT)

    begin = threading.Barrier(2)
    wrong: list[BaseException] = []

    def act(name: str) -> None:
        dispatcher = Dispatcher(holder=name)
        try:
            for _ in range(8):
                begin.wait(30)
                wrong.extend([AssertionError(tick)] if (tick := dispatcher.tick()).broken else [])
        except BaseException as error:  # noqa: BLE001 - the test's own thread says so
            wrong.append(error)
            begin.abort()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=act, args=(name,)) for name in ("first", "second")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []

    for name in ("default", "bulk"):
        run_worker(name, burst=True)
    Dispatcher().tick()
    assert set(Entry.objects.values_list("status", flat=True)) == {"succeeded"}
    ran = Counter(line.split()[0] for line in ledger.read_text().splitlines())
    assert set(ran.values()) == {1}, "each ran once"
    assert len(ran) == Entry.objects.count()
    assert Attempt.objects.filter(status="succeeded").count() == Entry.objects.count()
    assert AuditEvent.objects.filter(verb="rescue").count() == 2
    assert Operation.objects.get().state == "completed"
