"""A step of the dispatcher costs what it does, and not how large its operation is."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from retry.dispatcher import pacing
from retry.dispatcher.failure_limit import measure_room
from retry.models import Operation, Run
from retry.runs import lifecycle
from retry.runs.cancellation import cancel_next_run
from tests.support.many_runs import add_ended, add_queued, add_running
from tests.support.operations import failed, start
from tests.support.plans import counting_rows

pytestmark = pytest.mark.django_db(transaction=True)

ENDED, FEW = 3_000, 600


def make_large(**values: Any) -> Operation:
    """An operation of which all but 20 entries have ended, one in each run."""
    failed(20)
    operation = start(rate_per_second=1.0)
    Run.objects.filter(operation=operation).update(position=ENDED)
    day_ago = timezone.now() - timedelta(days=1)
    running = {"state": "running", "started_at": day_ago, "resumed_at": day_ago, "canary_size": 0}
    limits = {"rate_per_second": None, "max_failure_rate": 0.1}
    Operation.objects.filter(pk=operation.pk).update(**running | limits | values)
    add_ended(ENDED, operation=operation)
    return Operation.objects.get(pk=operation.pk)


@pytest.mark.parametrize(
    "values",
    [{}, {"max_failure_rate": None}, {"canary_size": 5, "canary_since": timezone.now()}],
    ids=["limit", "unbounded", "canary"],
)
def test_a_step_reads_what_is_left(values: dict[str, Any]) -> None:
    operation = make_large(**values)
    if "canary_size" in values:
        first = Run.objects.filter(operation=operation, state="planned").values("pk")[:5]
        Run.objects.filter(pk__in=first).update(canary=True)
    with counting_rows() as read:
        assert pacing.step(operation.pk) == (5 if "canary_size" in values else 20)
    assert len(read) > 2
    assert max(read) < FEW


ACTS: dict[str, Callable[[Operation, Run], object]] = {
    "the next run": lambda _, run: lifecycle.claim_next(run, worker="test"),
    "a cancelled run": lambda operation, _: cancel_next_run(operation.pk),
    "whether more waits": lambda operation, _: pacing._has_more(operation),
    "the end": lambda operation, _: pacing._end(operation.pk),
}


@pytest.mark.parametrize("act", ACTS)
def test_what_is_left_is_found_past_what_has_ended(act: str) -> None:
    operation = make_large(max_failure_rate=None)
    pacing.step(operation.pk)
    add_queued(ENDED, dispatches=1, dispatched_at=timezone.now())  # of others
    run = Run.objects.filter(operation=operation).order_by("position")[0]
    with counting_rows() as read, transaction.atomic():
        ACTS[act](operation, run)
    assert read
    assert max(read) < FEW


@pytest.mark.parametrize(
    ("ended", "succeeded", "expected"),
    [(10, 15, 150), (400, 1, 400), (1_000, 2, 2_000), (1_000, 3, 2_000)],
)
def test_outcomes_are_counted_as_far_as_they_matter(
    ended: int, succeeded: int, expected: int
) -> None:
    """A thousand workers, each of which takes a second for a run."""
    operation = start(max_failure_rate=0.1) if failed(1) else None
    assert operation is not None
    since = timezone.now() - timedelta(days=1)
    Operation.objects.filter(pk=operation.pk).update(resumed_at=since)
    add_ended(ended, operation=operation, succeeded=succeeded)
    Run.objects.filter(operation=operation, state="planned").update(
        state="running", lease_expires_at=timezone.now() + timedelta(hours=1)
    )
    workers = 1_000 // succeeded
    add_running(workers - 1, operation=operation)
    operation.refresh_from_db()
    most = measure_room(operation).most
    assert most == pytest.approx(min(expected, 2.0 * workers * succeeded))
