"""A work-horse that goes on with its operation, and a dispatcher that is called."""

import threading
import time
from uuid import uuid4

import pytest
from django.db import connection

from entries.models import Entry
from retry import queue, wakeup
from retry.dispatcher.loop import Dispatcher
from retry.models import Run
from retry.operations import control
from retry.operations.progress import read_progress
from retry.worker import execution
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT
from tests.support.operations import failed, start

pytestmark = pytest.mark.django_db(transaction=True)


def first_run() -> Run:
    return Run.objects.order_by("position")[0]


def test_one_work_horse_goes_on_with_the_runs_behind_and_takes_their_jobs_back() -> None:
    failed(25)
    operation = start()
    Dispatcher().tick()
    assert queue.count_jobs(["bulk"]) == {"bulk": 3}
    assert execution.execute(first_run().pk, worker="test", linger=5.0)
    assert read_progress(operation.pk).succeeded == 25
    assert set(Run.objects.values_list("state", "worker")) == {("finished", "test")}
    assert queue.count_jobs(["bulk"]) == {"bulk": 1}, "its own job is RQ's to remove"


def test_without_lingering_it_does_its_own_run_only() -> None:
    failed(25)
    operation = start()
    Dispatcher().tick()
    execution.execute(first_run().pk, worker="test")
    assert read_progress(operation.pk).succeeded == 10


def test_it_leaves_other_kinds_and_other_operations_alone() -> None:
    failed(10)
    EntryFactory.create(failed=True, kind="scripted", payload={})
    operation = start()
    other = start()
    Dispatcher().tick()
    execution.execute(first_run().pk, worker="test", linger=5.0)
    assert read_progress(operation.pk).succeeded == 10
    assert Entry.objects.get(kind="scripted").status == "queued"
    assert not read_progress(other.pk).succeeded


def test_it_begins_nothing_more_of_a_paused_operation() -> None:
    failed(25)
    operation = start()
    Dispatcher().tick()
    run = first_run()
    control.pause(operation.pk, actor=SCRIPT)
    assert not execution.execute(run.pk, worker="test", linger=5.0)
    control.resume(operation.pk, actor=SCRIPT)
    assert execution.execute(run.pk, worker=f"test:{uuid4().hex}")


def test_starting_an_operation_wakes_the_dispatcher() -> None:
    failed(1)
    heard: list[bool] = []
    listening = threading.Event()

    def listen() -> None:
        try:
            wakeup.wait(0.01)  # from here on calls are kept for us
            listening.set()
            heard.append(wakeup.wait(10))
        finally:
            connection.close()

    thread = threading.Thread(target=listen)
    thread.start()
    assert listening.wait(5)
    began = time.monotonic()
    start()
    thread.join(10)
    assert heard == [True]
    assert time.monotonic() - began < 5, "it did not wait for its time to run out"
