"""Canary, failure limit and pace, where workers have 32 entries under way at once."""

from datetime import timedelta
from pathlib import Path

import pytest

from entries.models import Attempt
from retry.models import Operation
from retry.operations.progress import read_progress
from tests.factories.entries import EntryFactory
from tests.support.ledger import executions
from tests.support.operations import consistent, start
from tests.support.processes import dispatching, listening_worker
from tests.support.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def made(count: int, ledger: Path, **payload: object) -> list[int]:
    payload["ledger"] = str(ledger)
    kind = "patient_side_by_side"
    return [e.id for e in EntryFactory.create_batch(count, failed=True, kind=kind, payload=payload)]


def run_until_at_rest(operation: Operation) -> None:
    """Work with two workers until the operation is paused or finished and nothing is under way."""

    def rests() -> bool:
        found = read_progress(operation.pk)
        at_rest = found.finished or found.operation.state == "paused"
        return at_rest and not (found.queued or found.running)

    with dispatching(), listening_worker("bulk"), listening_worker("bulk"):
        wait_until(rests, timeout=30)


def test_a_canary_is_all_that_fails(ledger: Path) -> None:
    made(300, ledger, do="fail")
    operation = start(canary_size=40)
    run_until_at_rest(operation)
    found = read_progress(operation.pk)
    assert (found.operation.pause_cause, found.failed, found.planned) == ("canary", 40, 260)
    assert consistent(found)
    assert len(executions(ledger)) == 40


def test_the_failure_limit_bounds_what_fails(ledger: Path) -> None:
    """A hundred may be under way unjudged, and fewer than twenty outcomes are too few to judge."""
    made(600, ledger, do="fail")
    operation = start(max_failure_rate=0.1)
    run_until_at_rest(operation)
    found = read_progress(operation.pk)
    assert found.operation.pause_cause == "limit"
    assert 20 <= found.failed <= 119
    assert consistent(found)
    assert len(executions(ledger)) == found.failed


def test_the_pace_holds_whatever_waits_side_by_side(ledger: Path) -> None:
    """What waits longer than a second does not let more start, and does not let less start."""
    ids = made(90, ledger, nap=1.5)
    operation = start(rate_per_second=30.0)
    run_until_at_rest(operation)
    found = read_progress(operation.pk)
    assert (found.operation.state, found.succeeded) == ("completed", 90)
    attempts = Attempt.objects.filter(entry_id__in=ids, number=2).order_by("started_at", "id")
    began = [at for at in attempts.values_list("started_at", flat=True) if at is not None]
    since = found.operation.resumed_at
    assert len(began) == 90
    assert since is not None
    # Each run holds at most a second's worth, and one run may overdraw the pace.
    allowed = [since + timedelta(seconds=max(0, n - 30) / 30) for n in range(90)]
    assert all(at >= soonest for at, soonest in zip(began, allowed, strict=True))
