"""How long an operation will still take: by how fast it goes, not by how long it has rested."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models.functions import Now

from retry.models import Operation, OperationState, Run, RunState
from retry.operations import control
from retry.operations.progress import read_progress
from tests.support.asking import SCRIPT
from tests.support.operations import failed, start

pytestmark = pytest.mark.django_db(transaction=True)


def going(**fields: Any) -> Operation:
    """An operation with 100 entries planned, under way for ten minutes."""
    failed(1)
    operation = start()
    Run.objects.filter(operation=operation).update(size=100)
    begun = {"state": OperationState.RUNNING, "started_at": Now() - timedelta(minutes=10)}
    Operation.objects.filter(pk=operation.pk).update(total=100, **begun | fields)
    return operation


def done(operation: Operation, *, entries: int, seconds_ago: float, took: float) -> None:
    Run.objects.create(
        pk=uuid4(),
        operation=operation,
        trigger="bulk_retry",
        kind="grouped",
        entry_ids=[1],
        size=entries,
        succeeded=entries,
        state=RunState.FINISHED,
        started_at=Now() - timedelta(seconds=seconds_ago + took),
        ended_at=Now() - timedelta(seconds=seconds_ago),
    )


def test_it_is_what_is_left_at_the_rate_of_the_last_minute() -> None:
    operation = going()
    done(operation, entries=100, seconds_ago=0, took=10)
    found = read_progress(operation.pk)
    assert found.rate == pytest.approx(10, rel=0.1)
    assert found.eta_seconds == pytest.approx(10, rel=0.1)


def test_a_pause_does_not_slow_it_down() -> None:
    """100 in the second before it was paused, 50 s of rest, and 100 in the 10 s since."""
    operation = going(resumed_at=Now() - timedelta(seconds=10))
    done(operation, entries=2, seconds_ago=58, took=1)
    done(operation, entries=100, seconds_ago=0, took=9.9)
    found = read_progress(operation.pk)
    assert found.rate == pytest.approx(10, rel=0.1)
    assert found.eta_seconds == pytest.approx(10, rel=0.1)


def test_paused_it_has_none() -> None:
    operation = going()
    done(operation, entries=100, seconds_ago=1, took=10)
    control.pause(operation.pk, actor=SCRIPT)
    found = read_progress(operation.pk)
    assert (found.rate, found.eta_seconds) == (0.0, None)


def test_just_resumed_it_waits_for_the_first_outcomes() -> None:
    operation = going()
    done(operation, entries=100, seconds_ago=1, took=10)
    control.pause(operation.pk, actor=SCRIPT)
    control.resume(operation.pk, actor=SCRIPT)
    assert read_progress(operation.pk).eta_seconds is None
