"""Entries side by side at awkward moments: locks, resyncs, short runs, too few threads."""

import logging
import os
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.db import OperationalError

from entries.models import Entry
from retry.dispatcher.loop import Dispatcher
from retry.models import Run
from retry.operations import control
from retry.service import resync_entries, retry_entries
from retry.worker.activity import Activity
from retry.worker.connection_pool import close_pool, create_pooled
from retry.worker.time_limits import ThreadAlarm, TimeLimitHit
from tests.factories.entries import EntryFactory
from tests.integration.test_side_by_side import begun, execute, executing, run_of, statuses
from tests.support.asking import SCRIPT, queued_entries
from tests.support.ledger import executions
from tests.support.operations import start
from tests.support.processes import child_environment, dispatching
from tests.support.servers import spawn, wait_until
from tests.support.shops import Shop

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_shutdown")]


class Stalled(logging.Handler):
    """As a pipe that is not read for a while; it holds its lock meanwhile."""

    def emit(self, record: logging.LogRecord) -> None:
        until = time.monotonic() + (1.5 if record.name == "chatty" else 0.0)
        while time.monotonic() < until:
            try:
                time.sleep(0.01)
            except TimeLimitHit:
                continue


def test_a_time_limit_leaves_no_lock_of_a_log_behind() -> None:
    for nap in (0.0, 0.3):
        payload = {"do": "log", "nap": nap}
        EntryFactory.create(failed=True, kind="side_by_side", payload=payload)
    start()
    Dispatcher().tick()
    handler = Stalled()
    logging.getLogger().addHandler(handler)
    try:
        with executing(Run.objects.get().pk):
            pass
    finally:
        logging.getLogger().removeHandler(handler)
    assert handler.lock is not None
    assert handler.lock.acquire(timeout=1)
    handler.lock.release()
    assert not statuses().keys() & {"queued", "running"}


def test_a_time_limit_loses_no_connection_of_the_pool(settings: "Settings") -> None:
    settings.REDRIVE_KIND_CONNECTIONS = 1
    first = create_pooled()
    first.cursor().execute("SELECT 1")
    alarm, results = ThreadAlarm(), []

    def wait() -> None:
        second = create_pooled()
        try:
            with alarm.limit(1):
                second.cursor().execute("SELECT 1")
            results.append("answered")
            second.give_back()  # type: ignore[attr-defined] # a pooled one has it
        except (TimeLimitHit, OperationalError):
            alarm.disarm()
            results.append("stopped")

    thread = threading.Thread(target=wait)
    thread.start()
    wait_until(lambda: alarm.interrupt() or thread.ident is not None)
    first.give_back()  # type: ignore[attr-defined]
    thread.join(10)
    assert results
    third = create_pooled()
    third.cursor().execute("SELECT 1")
    third.give_back()  # type: ignore[attr-defined]
    close_pool()


def test_a_resync_behind_is_not_read_beside_others(
    ledger: Path, gate: Path, tmp_path: Path
) -> None:
    """Reading its source can take an hour, and would keep their outcomes waiting."""
    payload = {"ledger": str(ledger), "wait_for": str(gate)}
    ids = queued_entries(3, kind="patient_side_by_side", **payload)
    fifo = tmp_path / "fifo"  # whoever reads it waits for a writer
    os.mkfifo(fifo)
    entry = EntryFactory.create(
        source=Shop(fifo).source, kind="patient_side_by_side", external_id="a", succeeded=True
    )
    resync_entries([entry.pk], actor=SCRIPT)
    activity = Activity()
    with executing(run_of(ids[0]), linger=5.0, activity=activity):
        wait_until(lambda: begun(ledger) == 3)
        gate.touch()
    found = Counter(Entry.objects.filter(pk__in=ids).values_list("status", flat=True))
    assert found == {"succeeded": 3}
    assert Entry.objects.get(pk=entry.pk).status == "queued"


def test_runs_of_a_slow_upstream_are_left_to_other_workers(ledger: Path, gate: Path) -> None:
    slow = {"to": "slow", "ledger": str(ledger), "wait_for": str(gate)}
    EntryFactory.create_batch(1000, failed=True, kind="patient_side_by_side", payload=slow)
    operation = start()
    Dispatcher().tick()
    assert Run.objects.count() == 10
    activity = Activity()
    first = Run.objects.order_by("position")[0]
    with executing(first.pk, linger=5.0, activity=activity):
        wait_until(lambda: len(activity.look().run_ids) == 2)
        until = time.monotonic() + 1.0
        while time.monotonic() < until:
            assert Run.objects.filter(state="running").count() <= 2
        assert begun(ledger) == 4
        control.pause(operation.pk, actor=SCRIPT)
        gate.touch()


def test_short_runs_behind_are_done_by_the_same_execution() -> None:
    ids = [queued_entries(1, kind="side_by_side")[0] for _ in range(4)]
    assert execute(run_of(ids[0]), linger=5.0)
    assert statuses() == {"succeeded": 4}


def test_what_a_stuck_neighbour_leaves_stays_a_click(ledger: Path) -> None:
    stuck = EntryFactory.create(failed=True, kind="side_by_side", payload={"do": "block"})
    slow = {"nap": 0.9, "to": "x", "ledger": str(ledger)}
    rest = EntryFactory.create_batch(24, failed=True, kind="side_by_side", payload=slow)
    ids = [stuck.pk, *(entry.pk for entry in rest)]
    retry_entries(ids, actor=SCRIPT)
    execute(Run.objects.get().pk)
    left = Run.objects.filter(state="queued")
    assert left.exists(), "the stuck one ended the execution before all had begun"
    assert set(left.values_list("queue", "dispatches")) == {("default", 1)}


_FEW_THREADS = """
import threading
real = threading.Thread.start
def start(self):
    if self.name.startswith("entries ") and int(self.name.split()[1]) >= 5:
        raise RuntimeError("can't start new thread")
    return real(self)
threading.Thread.start = start
import django
django.setup()
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "worker", "default"])
"""


def test_with_few_threads_it_does_with_those(ledger: Path) -> None:
    ids = queued_entries(10, kind="side_by_side", ledger=str(ledger), nap=0.1)
    environment = child_environment(REDRIVE_LEASE_SECONDS="60")
    with dispatching(), spawn(sys.executable, "-c", _FEW_THREADS, env=environment):
        wait_until(lambda: statuses() == {"succeeded": 10}, timeout=30)
    assert Counter(run[0] for run in executions(ledger)) == dict.fromkeys(ids, 1)
