"""A work-horse that goes on with its operation, and a dispatcher that is called."""

import threading
import time
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

from entries import transitions
from entries.models import Attempt, Entry
from retry import queue, wakeup
from retry.dispatcher.loop import Dispatcher
from retry.holds.control import hold_kind
from retry.models import Run
from retry.operations import control
from retry.operations.progress import read_progress
from retry.runs import lifecycle
from retry.runs.lifecycle import claim_next, claim_run
from retry.runs.rescue import take_entries
from retry.worker import execution
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT, queued_entries
from tests.support.operations import failed, start

pytestmark = pytest.mark.django_db(transaction=True)


def run_of(entry_id: int) -> UUID:
    run_id = Entry.objects.values_list("run_id", flat=True).get(pk=entry_id)
    assert run_id is not None
    return run_id


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


def test_without_an_operation_it_goes_on_with_the_oldest_run_of_its_queue() -> None:
    first, *rest = (queued_entries(1, kind="grouped")[0] for _ in range(4))
    assert queue.count_jobs(["default"]) == {"default": 4}
    assert execution.execute(run_of(first), worker="test", linger=5.0)
    assert set(Entry.objects.values_list("status", flat=True)) == {"succeeded"}
    assert queue.count_jobs(["default"]) == {"default": 1}, "its own job is RQ's to remove"
    ended = Run.objects.order_by("ended_at").values_list("entry_ids", flat=True)
    assert list(ended) == [[first], *([id_] for id_ in rest)]


def test_work_of_another_kind_in_front_is_not_overtaken() -> None:
    (first,) = queued_entries(1, kind="grouped")
    (other,) = queued_entries(1, kind="scripted")
    (behind,) = queued_entries(1, kind="grouped")
    assert execution.execute(run_of(first), worker="test", linger=5.0)
    found = dict(Entry.objects.values_list("pk", "status"))
    assert found == {first: "succeeded", other: "queued", behind: "queued"}


def test_the_next_run_is_found_alike_however_many_wait() -> None:
    """Of what a killed worker has left each entry is a run, and all of them wait together."""
    first, *rest = (queued_entries(1, kind="grouped")[0] for _ in range(60))
    claimed = claim_run(run_of(first), worker="test")
    assert claimed is not None
    explained: list[dict[str, Any]] = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001 - Django's
        if sql == lifecycle._SQL["claim_oldest"]:
            execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + sql, params, many, context)
            explained.extend(context["cursor"].fetchone()[0])
            Run.objects.filter(state="running").exclude(pk=claimed.pk).update(state="queued")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        following = claim_next(claimed, worker="test")
    assert following is not None
    assert following.entry_ids == rest[:1]
    assert looked_at(explained[0]["Plan"]) < 10 * len(rest)


def looked_at(node: dict[str, Any]) -> float:
    """Return how many rows a plan has read, in all its nodes and loops."""
    rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return float(rows * node["Actual Loops"]) + sum(map(looked_at, node.get("Plans", ())))


def test_a_larger_run_and_one_on_hold_are_left_alone() -> None:
    (first,) = queued_entries(1, kind="grouped")
    queued_entries(2, kind="grouped")
    assert execution.execute(run_of(first), worker="test", linger=5.0)
    assert Entry.objects.filter(status="queued").count() == 2
    (routed,) = queued_entries(1, kind="routed", to="a")
    hold_kind("routed", actor=SCRIPT)
    assert not execution.execute(run_of(routed), worker="test", linger=5.0)


def test_what_was_taken_from_a_dead_worker_never_runs_beside_others() -> None:
    ids = queued_entries(3, kind="side_by_side", nap=0.1)
    run = claim_run(run_of(ids[0]), worker="dead")
    assert run is not None
    transitions.claim(ids, run_id=run.id, worker="dead")
    with transaction.atomic():
        take_entries(run, cause="died", began=True, actor=SCRIPT)
    (other,) = queued_entries(1, kind="side_by_side", nap=0.1)
    assert execution.execute(run_of(other), worker="test", linger=5.0)
    assert Entry.objects.filter(status="queued").count() == 3, "they run alone"
    assert execution.execute(run_of(ids[0]), worker="alone", linger=5.0)
    assert set(Entry.objects.values_list("status", flat=True)) == {"succeeded"}
    attempts = Attempt.objects.filter(worker="alone").order_by("started_at")
    times = [(attempt.started_at, attempt.ended_at) for attempt in attempts]
    assert all(
        ended is not None and begun is not None and ended <= begun
        for (_, ended), (begun, _) in pairwise(times)
    )


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
