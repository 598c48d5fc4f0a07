"""Operations paused, resumed, cancelled, paced, judged by a canary, and robbed of workers."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from entries.models import Attempt, Entry
from retry.dispatcher import pacing
from retry.dispatcher.loop import Dispatcher
from retry.errors import (
    OperationFinished,
    OperationNotFound,
)
from retry.models import AuditEvent, Operation, Run
from retry.operations import control
from retry.operations.items import list_items
from retry.operations.progress import read_progress
from retry.service import retry_entries
from retry.worker import execution, run_worker
from retry.worker.claim import STOP_CHECK_SECONDS
from tests.support.asking import SCRIPT
from tests.support.operations import consistent, failed, start, to_the_end, work
from tests.support.servers import wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("short_ticks", "no_shutdown"),
]


def test_paused_nothing_starts_and_resumed_it_finishes() -> None:
    failed(25)
    operation = start()
    Dispatcher().tick()
    control.pause(operation.pk, actor=SCRIPT, reason="lunch")
    work()
    found = read_progress(operation.pk)
    assert (found.queued, found.succeeded, found.operation.pause_reason) == (25, 0, "lunch")
    dispatcher = Dispatcher()
    assert not any(dispatcher.tick().busy for _ in range(3)), "what is held is not handed over"
    control.resume(operation.pk, actor=SCRIPT)
    assert to_the_end(operation).succeeded == 25
    verbs = AuditEvent.objects.order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["start_retry", "pause", "resume"]


def test_paused_before_it_began_it_begins_when_resumed() -> None:
    failed(2)
    operation = start()
    control.pause(operation.pk, actor=SCRIPT)
    assert Dispatcher().tick().started == 0
    assert control.resume(operation.pk, actor=SCRIPT).state == "planned"
    assert to_the_end(operation).succeeded == 2


def test_a_run_at_work_stops_between_entries_when_its_operation_is_paused(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    ids = failed(10, wait_for=str(gate))
    operation = start()
    Dispatcher().tick()

    def pause_in_the_middle() -> None:
        try:
            wait_until(lambda: Entry.objects.filter(status="running").exists())
            control.pause(operation.pk, actor=SCRIPT)
            paused = time.monotonic()
            wait_until(
                lambda: time.monotonic() - paused > STOP_CHECK_SECONDS, what="time to ask again"
            )
            gate.touch()
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        pausing = pool.submit(pause_in_the_middle)
        execution.execute(Run.objects.get().pk, worker="test")
        pausing.result()
    found = read_progress(operation.pk)
    assert (found.succeeded, found.queued) == (1, 9)
    assert consistent(found)
    control.resume(operation.pk, actor=SCRIPT)
    assert to_the_end(operation).succeeded == 10
    assert set(Entry.objects.filter(pk__in=ids).values_list("attempt", flat=True)) == {2}


def test_cancelled_in_the_middle_what_waits_is_as_before_and_sums_match() -> None:
    failed(25)
    operation = start()
    Dispatcher().tick()
    execution.execute(Run.objects.get(position=0).pk, worker="test")
    control.cancel(operation.pk, actor=SCRIPT, reason="wrong source")
    work()
    found = to_the_end(operation)
    assert (found.operation.state, found.succeeded, found.cancelled) == ("cancelled", 10, 15)
    assert consistent(found)
    assert Counter(Entry.objects.values_list("status", flat=True)) == {
        "succeeded": 10,
        "failed": 15,
    }
    assert Attempt.objects.filter(status="cancelled").count() == 15
    outcomes = Counter(item.outcome for item in list_items(operation).items)
    assert outcomes == {"succeeded": 10, "cancelled": 15}
    with pytest.raises(OperationFinished):
        control.resume(operation.pk, actor=SCRIPT)
    assert retry_entries([Entry.objects.failed()[0].id], actor=SCRIPT).queued == 1


def test_cancelled_before_it_began_it_touches_nothing() -> None:
    failed(5)
    before = list(Entry.objects.values())
    operation = start()
    control.cancel(operation.pk, actor=SCRIPT)
    found = to_the_end(operation)
    assert (found.cancelled, found.total) == (5, 5)
    assert list(Entry.objects.values()) == before


def test_a_canary_that_fails_pauses_and_touches_nothing_else() -> None:
    ids = failed(20, do="fail")
    rest = failed(30)
    operation = start(canary_size=20, max_failure_rate=0.1)
    for _ in range(3):
        Dispatcher().tick()
        work()
    found = read_progress(operation.pk)
    assert found.operation.state == "paused"
    assert found.operation.pause_reason == "Canary: 20 of 20 failed, limit 10%"
    assert (found.failed, found.planned) == (20, 30)
    untouched = Entry.objects.filter(pk__in=rest)
    assert set(untouched.values_list("attempt", "status")) == {(1, "failed")}
    event = AuditEvent.objects.get(verb="pause")
    assert (event.actor_label, event.reason) == ("dispatcher", found.operation.pause_reason)
    control.resume(operation.pk, actor=SCRIPT, reason="it is repaired")
    found = to_the_end(operation)
    assert (found.succeeded, found.failed) == (30, 20)
    assert Entry.objects.filter(pk__in=ids, attempt=2).count() == 20
    assert [run.size for run in Run.objects.filter(canary=True).order_by("position")] == [
        10,
        10,
        10,
        10,
    ]


def test_a_canary_that_succeeds_lets_the_rest_go() -> None:
    failed(50)
    found = to_the_end(start(canary_size=5))
    assert (found.succeeded, found.operation.canary_done) == (50, True)
    assert [run.size for run in Run.objects.filter(canary=True)] == [5]


def test_the_failure_limit_holds_over_the_last_outcomes_too() -> None:
    failed(10)
    failed(90, do="fail")
    operation = start(max_failure_rate=0.5)
    pacing.step(operation.pk)  # as if the pace had allowed only these
    for run in Run.objects.order_by("position")[:4]:
        execution.execute(run.pk, worker=f"test:{run.position}")
    assert pacing.step(operation.pk) == 0
    assert read_progress(operation.pk).operation.pause_reason == "30 of 40 failed, limit 50%"


def test_a_pace_starts_no_more_than_it_allows() -> None:
    failed(40)
    operation = start(rate_per_second=10.0)
    Dispatcher().tick()
    found = read_progress(operation.pk)
    assert found.queued + found.succeeded <= 20
    assert found.planned >= 20
    assert max(run.size for run in Run.objects.all()) <= 10


def test_what_the_pace_allowed_during_an_outage_is_not_caught_up_on() -> None:
    failed(100)
    operation = start(rate_per_second=10.0)
    Dispatcher().tick()
    # As if the dispatcher had been away since, or the upstream on hold.
    Operation.objects.update(resumed_at=timezone.now() - timedelta(seconds=60))
    while pacing.step(operation.pk):
        pass
    assert 20 <= read_progress(operation.pk).queued <= 60
    Dispatcher().tick()
    assert read_progress(operation.pk).planned >= 40


def test_a_worker_lost_in_the_middle_of_an_operation_costs_no_entry() -> None:
    from django.db.models.functions import Now

    from entries import transitions
    from retry.runs.lifecycle import claim_run

    failed(20)
    operation = start()
    Dispatcher().tick()
    run = Run.objects.get(position=0)
    claim_run(run.pk, worker="gone")
    transitions.claim(run.entry_ids[:3], run_id=run.pk, worker="gone")
    Run.objects.filter(pk=run.pk).update(lease_expires_at=Now() - timedelta(seconds=1))
    found = to_the_end(operation)
    assert (found.succeeded, found.total) == (20, 20)
    assert consistent(found)
    assert Attempt.objects.filter(status="lost").count() == 3
    assert Run.objects.filter(operation=operation).count() == 6
    assert len(list_items(operation).items) == 20


def test_overlapping_operations_and_clicks_share_out_with_reasons() -> None:
    ids = failed(30)
    first, second = start(), start()
    clicked = retry_entries(ids[:5], actor=SCRIPT)
    assert clicked.queued == 5
    done = [to_the_end(first), to_the_end(second)]
    run_worker("default", burst=True)
    assert [found.succeeded for found in done] == [25, 0]
    assert all(consistent(found) for found in done)
    assert done[1].skipped_total == 30
    assert set(Entry.objects.values_list("attempt", flat=True)) == {2}


def test_what_failed_again_can_be_retried_as_an_operation() -> None:
    failed(5)
    bad = failed(4, do="fail")
    first = start()
    to_the_end(first)
    second = control.retry_failed(first.pk, actor=SCRIPT, reason="once more")
    assert [id_ for run in second.runs.all() for id_ in run.entry_ids] == bad
    assert to_the_end(second).failed == 4
    with pytest.raises(OperationNotFound):
        control.retry_failed(uuid4(), actor=SCRIPT)
