"""Two transactions at a time: what an operation without bounds starts, and in which order."""

from typing import Any

import pytest

from retry import queue
from retry.dispatcher import pacing
from retry.dispatcher.lane import Lane
from retry.dispatcher.loop import Dispatcher
from retry.models import Operation, Run
from retry.operations import control
from retry.runs.job_ids import dispatch_job_id
from tests.support.asking import SCRIPT
from tests.support.operations import failed, start, to_the_end

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("short_ticks", "no_shutdown", "small_steps"),
]

SMALL = 10


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "BATCH_ENTRIES", SMALL)
    monkeypatch.setattr(pacing, "SLICE_SECONDS", 60.0)


def step(operation: Operation) -> int:
    with Lane() as lane:
        return pacing.step(operation.pk, lane=lane)


def test_every_run_is_started_once_and_waits_in_order() -> None:
    ids = failed(7 * SMALL + 5)
    operation = start()
    assert Dispatcher().tick().started == len(ids)
    runs = list(Run.objects.order_by("position"))
    assert {run.state for run in runs} == {"queued"}
    assert [id_ for run in runs for id_ in run.entry_ids] == ids
    jobs = queue.get_client().lrange("rq:queue:redrive-bulk", 0, -1)
    assert jobs == [dispatch_job_id(run.job_id, dispatches=0).encode() for run in runs]
    assert Operation.objects.get().paced_entries == len(ids)
    assert to_the_end(operation).succeeded == len(ids)


def test_the_first_step_begins_the_operation_alone() -> None:
    failed(4 * SMALL)
    operation = start()
    assert [step(operation) for _ in range(3)] == [SMALL, 2 * SMALL, SMALL]


@pytest.mark.parametrize("bound", [{"rate_per_second": 1e6}, {"max_failure_rate": 0.5}])
def test_what_is_counted_starts_one_transaction_at_a_time(bound: dict[str, Any]) -> None:
    failed(6 * SMALL)
    operation = start(**bound)
    assert [step(operation) for _ in range(3)] == [SMALL] * 3


def test_nothing_starts_beside_a_canary() -> None:
    failed(6 * SMALL)
    operation = start(canary_size=2 * SMALL, max_failure_rate=1.0)
    assert [step(operation) for _ in range(3)] == [SMALL, SMALL, 0]


def test_nothing_starts_in_a_paused_operation() -> None:
    failed(4 * SMALL)
    operation = start()
    step(operation)
    control.pause(operation.pk, actor=SCRIPT)
    assert step(operation) == 0
    assert Run.objects.filter(state="planned").count() == 3
