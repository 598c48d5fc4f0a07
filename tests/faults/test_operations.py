"""An operation while everything around it is killed: nothing twice, nothing lost."""

import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from django.db import connection

from entries.filters import EntryFilter
from entries.models import Attempt, Entry
from entries.states import EntryStatus
from retry.models import Action, Operation, Run
from retry.operations import control
from retry.operations.items import list_items
from retry.operations.pace import Pace
from retry.operations.progress import read_progress
from retry.operations.selection import Selection
from retry.service import retry_entry
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT
from tests.support.processes import manage
from tests.support.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

FAILED = Selection(filter=EntryFilter(status=EntryStatus.FAILED))


def failed(count: int, **payload: object) -> list[int]:
    made = EntryFactory.create_batch(count, failed=True, kind="grouped", payload=payload)
    return [entry.id for entry in made]


def start() -> Operation:
    return control.start(FAILED, action=Action.RETRY, actor=SCRIPT)


def test_everything_killed_in_the_middle_and_started_again_completes_once(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    ids = failed(400, ledger=str(ledger))
    operation = start()
    with (
        manage("dispatcher") as one,
        manage("worker", "bulk") as two,
        manage("worker", "bulk") as three,
    ):
        wait_until(lambda: read_progress(operation.pk).succeeded >= 30, timeout=30)
        for process in (one, two, three):
            process.send(signal.SIGKILL)
            process.wait()
    with manage("dispatcher"), manage("worker", "bulk"), manage("worker", "bulk"):
        wait_until(lambda: read_progress(operation.pk).finished, timeout=60)
    found = read_progress(operation.pk)
    assert (found.succeeded, found.total, found.planned, found.queued) == (400, 400, 0, 0)
    executed = Counter(int(line.split()[0]) for line in ledger.read_text().splitlines())
    lost = set(Attempt.objects.filter(status="lost").values_list("entry_id", flat=True))
    assert set(executed) == set(ids)
    assert {id_ for id_, times in executed.items() if times > 1} <= lost
    assert len(list_items(operation, limit=500).items) == 400


def test_overlapping_operations_and_clicks_give_each_entry_one_new_attempt_per_winner() -> None:
    ids = failed(300)

    def click(id_: int) -> bool:
        try:
            retry_entry(id_, actor=SCRIPT)
        except Exception:  # noqa: BLE001 - losing is the point
            return False
        finally:
            connection.close()
        return True

    with manage("dispatcher"), manage("worker", "bulk"), manage("worker", "default"):
        with ThreadPoolExecutor(4) as pool:
            clicks = [pool.submit(click, id_) for id_ in ids[:50]]
            operations = [start(), start()]
            won = sum(one.result() for one in clicks)
        wait_until(lambda: all(read_progress(op.pk).finished for op in operations), timeout=60)
        wait_until(lambda: not Entry.objects.exclude(status="succeeded").exists(), timeout=20)
    results = [read_progress(operation.pk) for operation in operations]
    for found in results:
        assert found.succeeded + found.skipped_total == found.total
        assert (
            len(list_items(found.operation, outcome="skipped", limit=500).items)
            == found.skipped_total
        )
    assert won + sum(found.succeeded for found in results) == 300
    assert set(Entry.objects.values_list("attempt", flat=True)) == {2}
    assert Attempt.objects.filter(number=2, status="succeeded").count() == 300


def test_a_ramp_keeps_its_steps_when_everything_is_killed_between_them(tmp_path: Path) -> None:
    ids = failed(150, ledger=str(tmp_path / "ledger"))
    pace = Pace(ramp=(20, 40), max_failure_rate=1.0)
    operation = control.start(FAILED, action=Action.RETRY, actor=SCRIPT, pace=pace)

    def reached(succeeded: int) -> bool:
        return read_progress(operation.pk).succeeded >= succeeded

    for enough in (5, 40):
        with manage("dispatcher") as one, manage("worker", "bulk") as two:
            wait_until(partial(reached, enough), timeout=30)
            for process in (one, two):
                process.send(signal.SIGKILL)
                process.wait()
    with manage("dispatcher"), manage("worker", "bulk"):
        wait_until(lambda: read_progress(operation.pk).finished, timeout=90)
    found = read_progress(operation.pk)
    assert (found.succeeded, found.total, found.operation.state) == (150, 150, "completed")
    ran = Run.objects.filter(operation=operation).order_by("started_at")
    steps = [run for run in ran if run.canary]
    rest = [run for run in ran if not run.canary and run.started_at]
    assert sum(run.size - run.handed_on for run in steps) == 60
    ended = max(run.ended_at for run in steps if run.ended_at)
    assert all(run.started_at >= ended for run in rest if run.started_at), "not before its turn"
    assert {id_ for run in ran for id_ in run.entry_ids} == set(ids)
