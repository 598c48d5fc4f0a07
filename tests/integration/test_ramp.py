"""Growing steps before the rest, canaries drawn across error groups, and starts at a time."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from entries.models import Entry
from retry.dispatcher import pacing
from retry.dispatcher.loop import Dispatcher
from retry.errors import OperationFinished
from retry.models import AuditEvent, Operation, Run
from retry.operations import control
from retry.operations.errors import OperationBegun
from retry.operations.progress import read_progress
from retry.runs import canary
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT
from tests.support.operations import consistent, failed, start, to_the_end, work

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("short_ticks", "no_shutdown"),
]


def step(times: int = 1) -> None:
    for _ in range(times):
        Dispatcher().tick()
        work()


def found(operation: Operation) -> Operation:
    return Operation.objects.get(pk=operation.pk)


def group(name: str, count: int, **payload: object) -> list[int]:
    made = EntryFactory.create_batch(
        count, failed=True, kind="grouped", payload=payload, fingerprint=name
    )
    return [entry.pk for entry in made]


def drawn(operation: Operation) -> list[int]:
    runs = Run.objects.filter(operation=operation, canary=True, state="planned")
    return sorted(id_ for run in runs for id_ in run.entry_ids)


def fingerprints(ids: list[int]) -> Counter[str]:
    return Counter(Entry.objects.filter(pk__in=ids).values_list("fingerprint", flat=True))


# --- ramps ---------------------------------------------------------------------------------------


def test_each_step_starts_when_the_one_before_it_has_ended() -> None:
    failed(60)
    operation = start(ramp=(5, 10, 20))
    begun = []
    for _ in range(3):
        Dispatcher().tick()
        Dispatcher().tick()
        begun.append(read_progress(operation.pk).queued)
        assert consistent(read_progress(operation.pk))
        work()
    assert begun == [5, 10, 20]
    assert (found(operation).ramp_step, found(operation).canary_done) == (2, False)
    done = to_the_end(operation)
    assert (done.succeeded, done.total, done.operation.canary_state) == (60, 60, "passed")


def test_a_canary_goes_before_the_ramp() -> None:
    failed(30)
    operation = start(canary_size=2, ramp=(5,))
    assert operation.ramp == [2, 5]
    assert operation.max_failure_rate == 0.1
    assert len(drawn(operation)) == 2


def test_a_step_that_fails_pauses_before_the_next_and_a_resume_begins_with_the_first() -> None:
    failed(5)
    failed(60, do="fail")
    operation = start(ramp=(5, 10, 20))
    step(3)
    paused = read_progress(operation.pk)
    assert (paused.operation.state, paused.operation.canary_state) == ("paused", "failed")
    assert paused.operation.pause_reason == "Step of 10: 10 of 10 failed, limit 10%"
    assert (paused.succeeded, paused.failed, paused.planned) == (5, 10, 50)
    control.resume(operation.pk, actor=SCRIPT)
    assert found(operation).ramp_step == 0
    assert len(drawn(operation)) == 5
    step()
    paused = read_progress(operation.pk)
    assert (paused.failed, paused.planned) == (15, 45)
    assert consistent(paused)


def test_a_large_step_is_judged_on_its_way() -> None:
    failed(5)
    failed(400, do="fail")
    operation = start(ramp=(5, 300))
    step(4)
    paused = read_progress(operation.pk)
    assert (paused.operation.state, paused.operation.pause_cause) == ("paused", "canary")
    assert paused.operation.pause_reason.startswith("Step of 300: ")
    assert paused.failed + paused.queued <= 100


def test_overruled_the_rest_starts_without_further_steps() -> None:
    failed(5, do="fail")
    failed(40)
    operation = start(ramp=(5, 10))
    step(2)
    control.resume(operation.pk, actor=SCRIPT, overrule_canary=True)
    Dispatcher().tick()
    assert read_progress(operation.pk).queued == 40


def test_a_ramp_of_more_than_there_is_ends_with_what_there_is() -> None:
    failed(7)
    done = to_the_end(start(ramp=(5, 10, 100)))
    assert (done.succeeded, done.operation.state) == (7, "completed")


def test_a_pace_holds_within_the_steps() -> None:
    failed(30)
    operation = start(ramp=(20,), rate_per_second=2.0)
    Dispatcher().tick()
    assert read_progress(operation.pk).queued <= 4
    assert max(run.size for run in Run.objects.filter(operation=operation)) <= 2


# --- canaries across groups ----------------------------------------------------------------------


def test_a_canary_has_each_large_group_in_proportion() -> None:
    group("1-a", 60)
    group("1-b", 10)
    group("1-c", 4)
    operation = start(canary_size=10)
    assert fingerprints(drawn(operation)) == {"1-a": 8, "1-b": 1, "1-c": 1}
    planned = [id_ for run in Run.objects.filter(operation=operation) for id_ in run.entry_ids]
    assert len(planned) == len(set(planned)) == 74
    assert not Run.objects.exclude(size=F("entry_ids__len")).exists()
    assert to_the_end(operation).succeeded == 74


def test_a_group_that_fails_behind_a_larger_one_fails_the_canary() -> None:
    group("1-a", 90)
    group("1-b", 10, do="fail")
    operation = start(canary_size=4)
    step(2)
    assert found(operation).canary_state == "failed"
    assert read_progress(operation.pk).failed == 1


def test_a_canary_of_many_groups_leaves_room_for_the_large_ones() -> None:
    group("1-a", 100)
    for number in range(20):
        group(f"1-{number:02}", 1)
    operation = start(canary_size=10)
    assert fingerprints(drawn(operation))["1-a"] >= 5


def test_the_next_canary_is_drawn_across_what_is_left() -> None:
    group("1-a", 40, do="fail")
    group("1-b", 40, do="fail")
    operation = start(canary_size=4)
    step(2)
    control.resume(operation.pk, actor=SCRIPT)
    assert fingerprints(drawn(operation)) == {"1-a": 2, "1-b": 2}


def test_of_a_large_operation_evenly_spread_runs_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(canary, "LOOKED_AT", 100)
    group("1-a", 500)
    group("1-b", 500)
    operation = start(canary_size=4)
    assert fingerprints(drawn(operation)) == {"1-a": 2, "1-b": 2}


# --- starts at a time ----------------------------------------------------------------------------


def test_nothing_starts_before_its_time() -> None:
    failed(3)
    operation = start(start_at=timezone.now() + timedelta(hours=1))
    step(2)
    assert (found(operation).state, read_progress(operation.pk).planned) == ("planned", 3)
    assert pacing.step(operation.pk) == 0
    control.reschedule(operation.pk, start_at=None, actor=SCRIPT, reason="now")
    assert to_the_end(operation).succeeded == 3
    event = AuditEvent.objects.get(verb="reschedule")
    assert (event.reason, event.after) == ("now", {"state": "planned", "start_at": None})


def test_a_start_in_the_past_is_now() -> None:
    failed(3)
    assert to_the_end(start(start_at=timezone.now() - timedelta(hours=1))).succeeded == 3


def test_paused_and_resumed_before_its_time_it_still_waits_for_it() -> None:
    failed(3)
    operation = start(start_at=timezone.now() + timedelta(hours=1))
    control.pause(operation.pk, actor=SCRIPT)
    control.reschedule(operation.pk, start_at=timezone.now() + timedelta(hours=2), actor=SCRIPT)
    assert found(operation).state == "paused"
    assert control.resume(operation.pk, actor=SCRIPT).state == "planned"
    step()
    assert read_progress(operation.pk).planned == 3


def test_cancelled_before_its_time_it_touches_nothing() -> None:
    failed(3)
    operation = start(start_at=timezone.now() + timedelta(hours=1))
    control.cancel(operation.pk, actor=SCRIPT)
    step()
    assert read_progress(operation.pk).finished
    assert set(Entry.objects.values_list("status", "attempt")) == {("failed", 1)}
    with pytest.raises(OperationFinished):
        control.reschedule(operation.pk, start_at=None, actor=SCRIPT)


def test_what_has_begun_is_not_rescheduled() -> None:
    failed(3)
    operation = start()
    Dispatcher().tick()
    for verb in (None, control.pause):
        if verb:
            verb(operation.pk, actor=SCRIPT)
        with pytest.raises(OperationBegun):
            control.reschedule(operation.pk, start_at=timezone.now(), actor=SCRIPT)


def test_rescheduled_to_the_same_time_nothing_is_audited() -> None:
    failed(1)
    at = timezone.now() + timedelta(hours=1)
    operation = start(start_at=at)
    control.reschedule(operation.pk, start_at=at, actor=SCRIPT)
    assert not AuditEvent.objects.filter(verb="reschedule").exists()
