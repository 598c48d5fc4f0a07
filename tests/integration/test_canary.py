"""Canaries: drawn anew after a failure, kept over a pause, overruled by people; and what the
failure limit lets be under way between two judgements."""

from typing import TYPE_CHECKING

import pytest
from django.db.models import Sum
from django.db.models.functions import Now

from entries.models import Entry
from retry.dispatcher import failure_limit, pacing
from retry.dispatcher.loop import Dispatcher
from retry.models import AuditEvent, Operation, Run
from retry.operations import control
from retry.operations.progress import read_progress
from retry.service import retry_entries
from retry.worker import execution
from tests.support.asking import SCRIPT
from tests.support.operations import consistent, failed, start, to_the_end, work

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quick(settings: "Settings") -> None:
    settings.REDRIVE_TICK_SECONDS = 0.05


def step(times: int = 3) -> None:
    for _ in range(times):
        Dispatcher().tick()
        work()


def state_of(operation: Operation) -> Operation:
    return Operation.objects.get(pk=operation.pk)


def test_resuming_after_a_failed_canary_tries_another_before_the_rest() -> None:
    """All of it still fails: no more than a canary's worth may fail at each resume."""
    failed(160, do="fail")
    operation = start(canary_size=20)
    step()
    assert (state_of(operation).state, state_of(operation).canary_state) == ("paused", "failed")
    control.resume(operation.pk, actor=SCRIPT)
    assert state_of(operation).canary_state == "under_way"
    step()
    found = read_progress(operation.pk)
    assert (found.operation.state, found.operation.canary_state) == ("paused", "failed")
    assert (found.failed, found.planned) == (40, 120)
    assert found.operation.pause_reason == "Canary: 20 of 20 failed, limit 10%"
    assert consistent(found)


def test_a_new_canary_is_as_large_as_the_first_whatever_the_runs_are() -> None:
    failed(12, do="fail")
    failed(30)
    operation = start(canary_size=12)
    step()
    control.resume(operation.pk, actor=SCRIPT)
    drawn = Run.objects.filter(operation=operation, canary=True, state="planned")
    assert drawn.aggregate(Sum("size")) == {"size__sum": 12}
    planned = Run.objects.filter(operation=operation, state="planned")
    ids = [id_ for run in planned for id_ in run.entry_ids]
    assert len(ids) == len(set(ids)) == 30
    assert all(run.size == len(run.entry_ids) for run in planned)
    found = to_the_end(operation)
    assert (found.succeeded, found.failed, found.operation.canary_state) == (30, 12, "passed")


def test_overruling_a_canary_is_a_choice_of_its_own_and_audited() -> None:
    failed(5, do="fail")
    failed(30)
    operation = start(canary_size=5)
    step()
    control.resume(operation.pk, actor=SCRIPT, reason="known", overrule_canary=True)
    assert state_of(operation).canary_state == "overruled"
    assert state_of(operation).canary_overruled_by == SCRIPT.label
    found = to_the_end(operation)
    assert (found.succeeded, found.failed, found.operation.canary_state) == (30, 5, "overruled")
    event = AuditEvent.objects.get(verb="resume")
    assert (event.reason, event.after) == ("known", {"state": "running", "canary": "overruled"})


def test_a_pause_in_the_middle_of_a_canary_does_not_end_it() -> None:
    failed(10, do="fail")
    failed(30)
    operation = start(canary_size=10)
    Dispatcher().tick()  # the canary is queued
    control.pause(operation.pk, actor=SCRIPT)
    control.resume(operation.pk, actor=SCRIPT)
    step()
    found = read_progress(operation.pk)
    assert (found.failed, found.planned, found.operation.state) == (10, 30, "paused")
    assert found.operation.pause_cause == "canary"


def test_what_the_failure_limit_paused_tries_a_new_canary_where_there_was_one() -> None:
    failed(5)
    failed(300, do="fail")
    operation = start(canary_size=5, max_failure_rate=0.2)
    step(4)
    paused = state_of(operation)
    assert (paused.state, paused.pause_cause, paused.canary_state) == ("paused", "limit", "passed")
    found = read_progress(operation.pk)
    before, queued, planned = found.failed, found.queued, found.planned
    control.resume(operation.pk, actor=SCRIPT)
    step()
    found = read_progress(operation.pk)
    assert found.operation.pause_cause == "canary"
    # What was queued when the limit struck goes on beside it.
    assert found.failed - before == 5 + queued
    assert found.planned == planned - 5


def test_a_canary_of_which_nothing_was_tried_has_not_passed() -> None:
    first = failed(5)
    failed(5, do="fail")
    failed(20)
    operation = start(canary_size=5)
    retry_entries(first, actor=SCRIPT)  # somebody is faster
    step()
    found = read_progress(operation.pk)
    assert (found.operation.state, found.failed, found.planned) == ("paused", 5, 20)


def test_without_a_pace_little_is_under_way_between_two_judgements() -> None:
    failed(400, do="fail")
    operation = start(max_failure_rate=0.1)
    Dispatcher().tick()
    assert read_progress(operation.pk).queued == 100
    assert max(run.size for run in Run.objects.filter(operation=operation)) <= 50
    Dispatcher().tick()
    assert read_progress(operation.pk).queued == 100, "nothing was judged, so nothing more starts"
    for run in Run.objects.filter(operation=operation, state="queued")[:3]:
        execution.execute(run.pk, worker=f"test:{run.position}")
    Dispatcher().tick()
    found = read_progress(operation.pk)
    assert (found.operation.state, found.planned) == ("paused", 300)
    assert found.operation.pause_cause == "limit"


@pytest.mark.parametrize(
    ("seconds", "expected"), [(3600, [100, 100, 200, 200]), (0, [100, 100, 100, 100])]
)
def test_quick_work_is_not_held_up_by_the_failure_limit(
    monkeypatch: pytest.MonkeyPatch, seconds: float, expected: list[int]
) -> None:
    """As many start as have been judged, while that is less than some seconds' work; how quick
    this machine is must not matter here."""
    monkeypatch.setattr(failure_limit, "UNJUDGED_SECONDS", seconds)
    failed(600)
    operation = start(max_failure_rate=0.1)
    begun = []
    for _ in range(4):
        Dispatcher().tick()
        begun.append(read_progress(operation.pk).queued)
        work()
    assert begun == expected


def test_a_paused_operation_of_which_nothing_is_left_is_completed() -> None:
    failed(3)
    operation = start()
    Dispatcher().tick()
    run = Run.objects.get()
    control.pause(operation.pk, actor=SCRIPT)
    Run.objects.filter(pk=run.pk).update(state="finished", ended_at=Now())
    Dispatcher().tick()
    assert state_of(operation).state == "completed"


def test_a_failed_canary_of_everything_there_was_completes() -> None:
    failed(5, do="fail")
    operation = start(canary_size=20)
    found = to_the_end(operation)
    assert (found.operation.state, found.failed) == ("completed", 5)
    assert Entry.objects.filter(status="failed").count() == 5


def test_starting_in_step_keeps_the_room(settings: "Settings") -> None:
    failed(250)
    operation = start(max_failure_rate=0.5)
    started = 0
    while placed := pacing.step(operation.pk):
        started += placed
    assert started == 100
