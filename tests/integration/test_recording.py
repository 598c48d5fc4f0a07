"""What a worker writes of a group: outcomes, and their sum on the run."""

import pytest

from entries import transitions
from entries.models import Entry
from entries.states import EntryStatus
from entries.text import describe_error
from entries.transitions import Outcome
from retry.models import Run
from retry.worker.claim import Claim
from retry.worker.patience import NONE
from tests.support.asking import queued_entries

pytestmark = pytest.mark.django_db(transaction=True)


def claimed(count: int) -> tuple[list[int], Claim]:
    ids = queued_entries(count)
    claim = Claim.request(Run.objects.get().pk, worker="w", patience=NONE)
    assert claim is not None
    claimed = transitions.claim(ids, run_id=claim.run.pk, worker="w")
    assert [entry.id for entry in claimed] == ids
    return ids, claim


def succeeded(id_: int) -> Outcome:
    return Outcome(id_, EntryStatus.SUCCEEDED, result={"id": id_})


def test_each_success_has_its_own_result_and_none_may_be_none() -> None:
    ids, claim = claimed(3)
    claim.record([succeeded(ids[0]), Outcome(ids[1], EntryStatus.SUCCEEDED), succeeded(ids[2])])
    results = [{"id": ids[0]}, None, {"id": ids[2]}]
    entries = list(Entry.objects.order_by("id"))
    assert [entry.result for entry in entries] == results
    assert [entry.attempts.get(number=2).result for entry in entries] == results
    assert Entry.objects.filter(pk=ids[1], result__isnull=True).exists()
    assert {(e.error_class, e.error_message, e.fingerprint, e.failed_at) for e in entries} == {
        ("", "", "", None)
    }


def test_what_was_taken_away_is_not_counted() -> None:
    ids, claim = claimed(3)
    error = describe_error(RuntimeError("lost"))
    transitions.rescue([ids[1]], run_id=claim.run.pk, rescue_limits={"scripted": 1}, error=error)
    claim.record([succeeded(id_) for id_ in ids])
    run = Run.objects.get(pk=claim.run.pk)
    assert (run.succeeded, run.failed) == (2, 0)
    assert claim.end()
    run.refresh_from_db()
    assert (run.state, run.succeeded, run.lost, run.handed_on) == ("finished", 2, 1, 1)


def test_a_run_that_is_counted_ends_as_one_that_is_counted_again() -> None:
    names = ("succeeded", "failed", "scheduled", "transient", "lost", "handed_on", "unchanged")
    counts = []
    for is_counted in (True, False):
        Run.objects.all().delete()
        ids, claim = claimed(2)
        error = describe_error(RuntimeError("no"))
        claim.record([succeeded(ids[0]), Outcome(ids[1], EntryStatus.FAILED, error=error)])
        if not is_counted:
            Run.objects.update(succeeded=0, failed=0)
        assert claim.end()
        run = Run.objects.get(pk=claim.run.pk)
        assert run.lease_expires_at is None
        assert run.ended_at is not None
        counts.append([run.state, *(getattr(run, name) for name in names)])
    assert counts == [["finished", 1, 1, 0, 0, 0, 0, 0]] * 2
