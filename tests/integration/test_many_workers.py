"""What must cost the same, and come as soon, with very many workers and operations."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError, connection
from django.db.backends.signals import connection_created

from retry.dispatcher import pacing
from retry.dispatcher.loop import Dispatcher, Tick
from retry.heartbeats import Pulse
from retry.models import Operation, Run, WorkerHeartbeat, WorkerState
from retry.notices.silence import SilenceWatch
from retry.operations import control
from retry.operations.selection import Selection
from retry.runs import lifecycle
from retry.worker import claim as claims
from retry.worker.claim import Claim
from retry.worker.patience import NONE, Patience
from tests.support.asking import SCRIPT
from tests.support.many_runs import add_running
from tests.support.operations import failed, start
from tests.support.plans import counting_rows

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("short_ticks"),
]

SMALL = 10


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick has time for one step of what could fill it."""
    monkeypatch.setattr(pacing, "BATCH_ENTRIES", SMALL)
    monkeypatch.setattr(pacing, "SLICE_SECONDS", 0.0)


def count_started(operation: Operation) -> int:
    return Operation.objects.get(pk=operation.pk).paced_entries


@pytest.mark.usefixtures("small_steps")
def test_a_large_operation_keeps_no_paced_one_waiting() -> None:
    large = start(Selection(ids=tuple(failed(6 * SMALL))))
    paced = start(Selection(ids=tuple(failed(SMALL))), rate_per_second=1e6)
    pacing.pace()
    assert count_started(paced) > 0
    assert 0 < count_started(large) < 6 * SMALL


@pytest.mark.usefixtures("small_steps")
def test_large_operations_take_turns() -> None:
    first, second = (start(Selection(ids=tuple(failed(8 * SMALL)))) for _ in range(2))
    for _ in range(4):
        pacing.pace()
    assert 0 < count_started(first) < 8 * SMALL
    assert 0 < count_started(second) < 8 * SMALL


@pytest.mark.usefixtures("small_steps")
def test_a_cancelled_operation_is_unwound_beside_others() -> None:
    cancelled = start(Selection(ids=tuple(failed(3 * SMALL))))
    for _ in range(4):
        pacing.pace()
    control.cancel(cancelled.pk, actor=SCRIPT)
    paced = start(Selection(ids=tuple(failed(SMALL))), rate_per_second=1e6)
    pacing.pace()
    assert count_started(paced) > 0


def test_a_tick_that_has_rescued_is_followed_at_once() -> None:
    assert Tick(acted=True, rescued=1).has_more
    assert not Tick(acted=True).has_more


def test_the_next_run_is_found_alike_however_many_workers_there_are() -> None:
    failed(5 * SMALL)
    start()
    Dispatcher().tick()
    mine = lifecycle.claim_run(Run.objects.order_by("position")[0].pk, worker="mine")
    assert mine is not None
    add_running(300)
    with counting_rows() as read:
        following = lifecycle.claim_next(mine, worker="mine")
    assert following is not None
    assert sum(read) < 100


@pytest.mark.parametrize("times_asked", [1, 2])
def test_a_next_run_whose_answer_was_lost_is_still_the_workers(
    times_asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed(5 * SMALL)
    start()
    Dispatcher().tick()
    claim = Claim.request(Run.objects.order_by("position")[0].pk, worker="mine", patience=NONE)
    assert claim is not None
    got: list[UUID | None] = []

    def claim_and_lose_the_answer(run: Run, **options: Any) -> Run | None:
        found = lifecycle.claim_next(run, **options)
        got.append(found.pk if found else None)
        if len(got) == 1:
            raise OperationalError(f"lost {uuid4()}")
        return found

    monkeypatch.setattr(claims, "claim_next", claim_and_lose_the_answer)
    if times_asked == 1:
        following = claim.request_next(patience=Patience())
    else:
        with pytest.raises(OperationalError, match="lost"):
            claim.request_next(patience=NONE)
        following = claim.request_next(patience=NONE)
    assert following is not None
    assert got == [following.run.pk] * 2
    assert Run.objects.filter(state="running").count() == 2


def test_a_heartbeat_and_the_look_at_the_dispatcher_share_a_connection() -> None:
    Dispatcher().tick()
    connection.close()
    opened: list[object] = []

    def note(**found: object) -> None:
        opened.append(found["connection"])

    connection_created.connect(note)
    try:
        Pulse(queue="bulk").beat(WorkerState.IDLE, beside=SilenceWatch().look)
    finally:
        connection_created.disconnect(note)
    assert len(opened) == 1
    assert connection.connection is None, "a worker forks, and must not share one"
    assert WorkerHeartbeat.objects.get().state == "idle"
