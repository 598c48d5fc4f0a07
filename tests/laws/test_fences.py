"""Runs: what a worker writes, it writes only while the run is its own.

The same for entries is in ``test_moves``.
"""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from entries import transitions
from entries.states import EntryStatus
from entries.transitions import Outcome
from retry.models import Run
from retry.runs.lifecycle import claim_run, end_run, lock_lapsed_run, renew_leases
from tests.support.asking import queued_entries

pytestmark = pytest.mark.django_db


@pytest.fixture
def run_id() -> UUID:
    queued_entries()
    return Run.objects.values_list("id", flat=True).get()


def row(run_id: UUID) -> list[object]:
    return list(Run.objects.filter(id=run_id).values())


def test_a_run_is_claimed_once(run_id: UUID) -> None:
    assert claim_run(run_id, worker="first") is not None
    claimed = row(run_id)
    assert claim_run(run_id, worker="second") is None
    assert row(run_id) == claimed


def test_a_claim_whose_answer_was_lost_is_answered_again(run_id: UUID) -> None:
    claimed = claim_run(run_id, worker="first")
    assert claimed is not None
    again = claim_run(run_id, worker="first")
    assert again is not None
    assert (again.id, again.started_at) == (claimed.id, claimed.started_at)
    first = transitions.claim(again.entry_ids, run_id=run_id, worker="first")
    assert transitions.claim(again.entry_ids, run_id=run_id, worker="second") == []
    assert transitions.claim(again.entry_ids, run_id=run_id, worker="first") == first
    assert len(first) == 1


def test_a_run_that_is_not_there_is_nobodys(run_id: UUID) -> None:
    before = row(run_id)
    assert claim_run(uuid4(), worker="first") is None
    assert row(run_id) == before


def test_only_its_worker_renews_the_lease(run_id: UUID) -> None:
    assert not renew_leases([run_id], worker="first"), "nobody has claimed it yet"
    claim_run(run_id, worker="first")
    claimed = row(run_id)
    assert not renew_leases([run_id], worker="second")
    assert row(run_id) == claimed
    assert renew_leases([run_id], worker="first")


def test_only_its_worker_ends_it(run_id: UUID) -> None:
    run = claim_run(run_id, worker="first")
    assert run is not None
    claimed = row(run_id)
    assert not end_run(run, worker="second")
    assert row(run_id) == claimed
    assert not end_run(run, worker="first"), "an entry of it is not done"
    transitions.claim(run.entry_ids, run_id=run_id, worker="first")
    endings = [Outcome(entry_id, EntryStatus.SUCCEEDED) for entry_id in run.entry_ids]
    transitions.finish(endings, run_id=run_id)
    assert end_run(run, worker="first")
    ended = row(run_id)
    assert claim_run(run_id, worker="first") is None
    assert transitions.claim(run.entry_ids, run_id=run_id, worker="first") == []
    assert not end_run(run, worker="first"), "it ends once"
    assert not renew_leases([run_id], worker="first")
    assert row(run_id) == ended


def test_the_lease_runs_by_the_databases_clock(run_id: UUID) -> None:
    """A worker whose own clock is wrong is not rescued for it, nor kept."""
    run = claim_run(run_id, worker="first")
    assert run is not None
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now = cursor.fetchone()[0]
    assert run.lease_expires_at is not None
    assert timedelta(0) < run.lease_expires_at - now < timedelta(minutes=5)


def test_a_run_can_be_taken_only_after_its_lease(run_id: UUID) -> None:
    claim_run(run_id, worker="first")
    assert not lock_lapsed_run(run_id)
    Run.objects.update(lease_expires_at=Now() - timedelta(seconds=1))
    assert lock_lapsed_run(run_id)
    Run.objects.update(lease_expires_at=timezone.now() + timedelta(seconds=30))
    assert not lock_lapsed_run(run_id)


def test_by_default_a_dead_machine_is_noticed_within_fifteen_seconds() -> None:
    """The lease, the tick that finds it lapsed, and the rescue itself."""
    assert settings.REDRIVE_LEASE_SECONDS + 1 + 1 <= 15
