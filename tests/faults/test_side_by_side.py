"""Entries side by side in a real worker: what blocks, kills and stops it, and what that costs."""

import os
import signal
from collections import Counter
from pathlib import Path

import pytest
from django.db import connection

from entries.models import Attempt, Entry
from retry.models import Operation, Run
from retry.operations import control
from retry.operations.progress import read_progress
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT
from tests.support.ledger import executions
from tests.support.operations import start
from tests.support.processes import dispatching, listening_worker
from tests.support.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

#: No lease lapses during a test: what is settled, the worker settles.
LONG = {"REDRIVE_LEASE_SECONDS": "60"}


def made(count: int, ledger: Path, *, kind: str = "side_by_side", **payload: object) -> list[int]:
    payload["ledger"] = str(ledger)
    return [e.id for e in EntryFactory.create_batch(count, failed=True, kind=kind, payload=payload)]


def statuses(ids: list[int]) -> Counter[str]:
    return Counter(Entry.objects.filter(pk__in=ids).values_list("status", flat=True))


def finished(operation: Operation) -> bool:
    return read_progress(operation.pk).finished


def times(ledger: Path) -> Counter[int]:
    return Counter(run[0] for run in executions(ledger))


def test_one_that_blocks_in_c_times_out_and_its_neighbours_succeed_once(ledger: Path) -> None:
    before, stuck, after = made(15, ledger), made(1, ledger, do="block"), made(16, ledger)
    with listening_worker("bulk", **LONG), dispatching(**LONG):
        operation = start()
        wait_until(lambda: finished(operation), timeout=11)
    entry = Entry.objects.get(pk=stuck[0])
    assert (entry.status, entry.error_class, entry.attempt) == ("failed", "TimeLimitExceeded", 2)
    assert "_deadlock" in entry.attempts.get(number=2).traceback
    assert statuses(before + after) == {"succeeded": 31}
    assert times(ledger) == dict.fromkeys(before + stuck + after, 1)


def test_one_that_blocks_the_interpreter_times_out_and_its_neighbours_succeed(
    ledger: Path,
) -> None:
    """No neighbour can go on meanwhile, and nobody sees which one it is: each is retried alone."""
    before, stuck, after = (
        made(3, ledger, nap=0.2),
        made(1, ledger, do="block_all"),
        made(3, ledger),
    )
    with listening_worker("bulk", **LONG), dispatching(**LONG):
        operation = start()
        wait_until(lambda: finished(operation), timeout=40)
    entry = Entry.objects.get(pk=stuck[0])
    assert (entry.status, entry.error_class) == ("failed", "TimeLimitExceeded")
    assert statuses(before + after) == {"succeeded": 6}
    assert max(times(ledger).values()) <= 2


def test_a_killed_worker_loses_only_what_had_begun(ledger: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    ids = made(80, ledger, kind="patient_side_by_side", wait_for=str(gate))
    with listening_worker("bulk", **LONG), dispatching(**LONG):
        operation = start()
        wait_until(lambda: len(executions(ledger)) == 32)
        os.kill(executions(ledger)[0][2], signal.SIGKILL)
        gate.touch()
        wait_until(lambda: statuses(ids) == {"succeeded": 80}, timeout=30)
        wait_until(lambda: finished(operation))
    begun = {run[0] for run in executions(ledger)[:32]}
    assert times(ledger) == {id_: 2 if id_ in begun else 1 for id_ in ids}
    assert set(Attempt.objects.filter(status="lost").values_list("entry_id", flat=True)) == begun
    assert set(Run.objects.filter(trigger="rescue").values_list("size", flat=True)) == {1}
    assert read_progress(operation.pk).succeeded == 80


def test_only_the_killer_is_lost_more_than_once(ledger: Path) -> None:
    killer, good = made(1, ledger, do="die"), made(60, ledger, nap=0.05)
    with listening_worker("bulk", **LONG), dispatching(**LONG):
        operation = start()
        wait_until(lambda: finished(operation), timeout=30)
    entry = Entry.objects.get(pk=killer[0])
    assert (entry.status, entry.error_class) == ("failed", "WorkerLost")
    assert statuses(good) == {"succeeded": 60}
    counted = times(ledger)
    assert counted.pop(killer[0]) == 3
    assert max(counted.values()) <= 2


def test_a_worker_that_is_asked_to_stop_loses_and_doubles_nothing(
    ledger: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    ids = made(200, ledger, kind="patient_side_by_side", wait_for=str(gate))
    with dispatching(**LONG):
        with listening_worker("bulk", **LONG) as first, listening_worker("bulk", **LONG) as second:
            start()
            wait_until(lambda: len(executions(ledger)) == 64)
            first.send(signal.SIGTERM)
            second.send(signal.SIGTERM)
            gate.touch()
            wait_until(lambda: not (first.running or second.running), timeout=10)
        stopped = statuses(ids)
        assert stopped["succeeded"] >= 64
        assert stopped["succeeded"] + stopped["queued"] == 200
        with listening_worker("bulk", **LONG):
            wait_until(lambda: statuses(ids) == {"succeeded": 200}, timeout=20)
    assert times(ledger) == dict.fromkeys(ids, 1)


def test_cancelling_with_64_under_way_adds_up(ledger: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    ids = made(200, ledger, kind="patient_side_by_side", wait_for=str(gate))
    with (
        dispatching(**LONG),
        listening_worker("bulk", **LONG),
        listening_worker("bulk", **LONG),
    ):
        operation = start()
        wait_until(lambda: len(executions(ledger)) == 64)
        control.cancel(operation.pk, actor=SCRIPT)
        wait_until(lambda: statuses(ids)["queued"] == 0)
        gate.touch()
        wait_until(lambda: finished(operation), timeout=20)
    found = read_progress(operation.pk)
    assert (found.succeeded, found.cancelled, found.total) == (64, 136, 200)
    assert statuses(ids) == {"succeeded": 64, "failed": 136}
    assert times(ledger) == dict.fromkeys([run[0] for run in executions(ledger)], 1)


def test_leases_of_all_its_runs_are_renewed(ledger: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    short = {"REDRIVE_LEASE_SECONDS": "1.5"}
    kind = "patient_side_by_side"
    slow = made(100, ledger, kind=kind, to="slow", wait_for=str(gate))
    quick = made(20, ledger, kind=kind, to="quick")
    with listening_worker("bulk", **short), dispatching(**short):
        start()
        wait_until(lambda: statuses(quick) == {"succeeded": 20}, timeout=10)
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp() + interval '3 seconds'")
            later = cursor.fetchone()[0]
        wait_until(
            lambda: all(
                run.lease_expires_at and run.lease_expires_at > later
                for run in Run.objects.filter(state="running")
            ),
            timeout=10,
        )
        gate.touch()
        wait_until(lambda: statuses(slow) == {"succeeded": 100}, timeout=20)
    assert times(ledger) == dict.fromkeys(slow + quick, 1)
