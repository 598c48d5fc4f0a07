"""Operations decided, moved and stepped by two at the same moment, on connections of their own."""

from datetime import timedelta

import pytest
from django.utils import timezone

from retry.dispatcher import pacing
from retry.errors import OperationFinished, RetryError
from retry.models import AuditEvent, Operation, Run
from retry.operations import approval, control
from retry.operations.errors import OperationBegun
from retry.operations.progress import read_progress
from retry.outcomes import Actor
from tests.races.test_transitions import in_order
from tests.support.asking import SCRIPT
from tests.support.operations import consistent, failed, start, to_the_end, work
from tests.support.threads import all_at_once

pytestmark = pytest.mark.django_db(transaction=True)
SECOND, THIRD = Actor.command("second"), Actor.command("third")


def awaiting() -> Operation:
    failed(4)
    operation = start()
    Operation.objects.filter(pk=operation.pk).update(state="awaiting_approval")
    return operation


def reject(operation: Operation) -> Operation | None:
    try:
        return approval.reject(operation.pk, actor=THIRD)
    except RetryError:
        return None


def test_of_an_approval_and_a_rejection_the_first_decides() -> None:
    operation = awaiting()
    approved, rejected = in_order(
        lambda: approval.approve(operation.pk, actor=SECOND), lambda: reject(operation)
    )
    assert approved.state == "planned"
    assert rejected is None
    assert to_the_end(operation).succeeded == 4


def test_a_rejection_before_an_approval_stays() -> None:
    operation = awaiting()

    def approve() -> bool:
        try:
            approval.approve(operation.pk, actor=SECOND)
        except OperationFinished:
            return False
        return True

    rejected, approved = in_order(lambda: reject(operation), approve)
    assert rejected is not None
    assert not approved
    pacing.pace()
    assert set(Run.objects.values_list("state", flat=True)) == {"cancelled"}


def test_two_approvals_are_one() -> None:
    operation = awaiting()
    all_at_once(lambda: approval.approve(operation.pk, actor=SECOND).state, times=2)
    assert AuditEvent.objects.filter(verb="approve").count() == 1


def test_a_dispatcher_that_looks_while_it_is_approved_starts_it_afterwards() -> None:
    operation = awaiting()
    _, placed = in_order(
        lambda: approval.approve(operation.pk, actor=SECOND), lambda: pacing.step(operation.pk)
    )
    assert placed in {0, 4}, "it waited for the lock, or comes again"
    assert to_the_end(operation).succeeded == 4


def test_moved_before_it_begins_it_waits() -> None:
    failed(4)
    operation = start(start_at=timezone.now() - timedelta(seconds=1))
    later = timezone.now() + timedelta(hours=1)
    _, placed = in_order(
        lambda: control.reschedule(operation.pk, start_at=later, actor=SCRIPT),
        lambda: pacing.step(operation.pk),
    )
    assert placed == 0
    assert read_progress(operation.pk).planned == 4


def test_begun_before_it_is_moved_it_runs() -> None:
    failed(4)
    operation = start(start_at=timezone.now() - timedelta(seconds=1))

    def move() -> bool:
        try:
            control.reschedule(operation.pk, start_at=timezone.now(), actor=SCRIPT)
        except OperationBegun:
            return False
        return True

    placed, moved = in_order(lambda: pacing.step(operation.pk), move)
    assert (placed, moved) == (4, False)


def test_two_dispatchers_take_one_step_of_a_ramp() -> None:
    failed(60)
    operation = start(ramp=(5, 10))
    for expected in (5, 10, 45):
        placed = all_at_once(lambda: pacing.step(operation.pk), times=2)
        assert sum(placed) == expected
        assert consistent(read_progress(operation.pk))
        work()
    assert read_progress(operation.pk).succeeded == 60
