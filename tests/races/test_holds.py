"""Holds put and lifted while somebody claims, probes or puts another, in both orders."""

from uuid import UUID, uuid4

import pytest

from entries import transitions
from entries.models import Entry
from retry.dispatcher.breaker import watch
from retry.holds import control as holds
from retry.holds.errors import AlreadyOnHold, HoldLifted
from retry.models import AuditEvent, Hold, Run
from retry.outcomes import Actor
from retry.runs.backlog import find_startable_runs
from retry.runs.hold_condition import find_held_upstreams
from retry.runs.lifecycle import claim_run, end_run
from retry.service import retry_entries
from retry.worker import execution
from retry.worker.claim import Claim
from tests.factories.entries import EntryFactory
from tests.races.test_transitions import in_order
from tests.support.asking import SCRIPT, queued_entries
from tests.support.holds import settle, tripped

pytestmark = pytest.mark.django_db(transaction=True)
BREAKER = Actor.system("breaker")


@pytest.fixture
def run_id() -> UUID:
    queued_entries(3)
    return Run.objects.values_list("pk", flat=True).get()


def claim(run_id: UUID) -> bool:
    """As a worker does; a run that is not to be had is set aside."""
    return execution.execute(run_id, worker=f"test:{uuid4().hex}")


def put() -> Hold:
    return holds.hold_kind("scripted", actor=SCRIPT)


def lift(hold: Hold) -> Hold:
    return holds.lift(hold.pk, actor=SCRIPT)


def drained() -> bool:
    settle()
    return set(Entry.objects.values_list("status", "attempt")) == {("succeeded", 2)}


def test_a_claim_before_the_lift_commits_is_refused_and_nothing_is_lost(run_id: UUID) -> None:
    hold = put()
    _, claimed = in_order(lambda: lift(hold), lambda: claim(run_id))
    assert not claimed
    assert drained()


def test_a_lift_while_a_claim_is_being_refused_loses_nothing(run_id: UUID) -> None:
    hold = put()
    claimed, lifted = in_order(lambda: claim(run_id), lambda: lift(hold))
    assert not claimed
    assert lifted.lifted_at is not None
    assert drained()


def test_a_claim_before_the_hold_commits_goes_through(run_id: UUID) -> None:
    hold, run = in_order(put, lambda: claim_run(run_id, worker="test"))
    assert run is not None
    assert Hold.objects.get().pk == hold.pk


def test_a_hold_while_a_run_is_being_claimed_waits_for_nobody(run_id: UUID) -> None:
    run, _ = in_order(lambda: claim_run(run_id, worker="test"), put)
    assert run is not None
    assert Hold.objects.get().lifted_at is None


def test_a_probe_released_at_the_moment_of_the_lift_is_a_run_like_any_other(run_id: UUID) -> None:
    hold = tripped()
    probed, _ = in_order(watch, lambda: lift(hold))
    assert probed == 1
    assert not Run.objects.filter(probe=True).exists()
    assert drained()


def test_no_probe_is_released_after_the_lift(run_id: UUID) -> None:
    hold = tripped()
    _, probed = in_order(lambda: lift(hold), watch)
    assert probed == 0
    assert Run.objects.get().size == 3
    assert drained()


def test_a_worker_cannot_take_the_run_that_a_probe_is_carved_out_of(run_id: UUID) -> None:
    tripped()
    probed, run = in_order(watch, lambda: claim_run(run_id, worker="test"))
    assert (probed, run) == (1, None)
    assert drained()


def test_a_person_and_the_breaker_at_the_same_moment_leave_the_persons_hold() -> None:
    def trip() -> Hold:
        return holds.trip("scripted", actor=BREAKER, reason="HTTP 503", probe_after=5.0)

    in_order(trip, put)
    hold = Hold.objects.get()
    assert (hold.automatic, hold.actor_label) == (False, "script")
    lift(hold)
    with pytest.raises(AlreadyOnHold):
        in_order(put, trip)
    assert Hold.objects.get(lifted_at=None).automatic is False


def test_of_two_people_one_lifts() -> None:
    hold = put()
    with pytest.raises(HoldLifted):
        in_order(lambda: lift(hold), lambda: lift(hold))
    assert AuditEvent.objects.filter(verb="lift").count() == 1


# --- one upstream ------------------------------------------------------------------------------


@pytest.fixture
def mixed_run_id() -> UUID:
    ids = [
        EntryFactory.create(failed=True, kind="routed", payload={"to": to}).pk
        for to in ("dead", "good", "dead")
    ]
    retry_entries(ids, actor=SCRIPT)
    return Run.objects.values_list("pk", flat=True).get()


def put_upstream() -> Hold:
    return holds.hold_kind("routed", "dead", actor=SCRIPT)


def claim_entries(run_id: UUID, *, worker: str = "test") -> set[str]:
    """As a worker does, the upstreams it got."""
    run = Run.objects.get(pk=run_id)
    held = find_held_upstreams(run.kind, probe=run.probe)
    claimed = transitions.claim(run.entry_ids, run_id=run.pk, worker=worker, held=held)
    return {entry.upstream for entry in claimed}


def test_entries_claimed_before_the_hold_commits_go_through(mixed_run_id: UUID) -> None:
    _, claimed = in_order(put_upstream, lambda: claim_entries(mixed_run_id))
    assert claimed == {"dead", "good"}


def test_a_hold_while_entries_are_being_claimed_waits_for_nobody(mixed_run_id: UUID) -> None:
    claimed, hold = in_order(lambda: claim_entries(mixed_run_id), put_upstream)
    assert claimed == {"dead", "good"}
    assert hold.lifted_at is None
    assert claim_entries(mixed_run_id, worker="another") == set()


def test_entries_are_refused_until_the_lift_commits_and_nothing_is_lost(
    mixed_run_id: UUID,
) -> None:
    hold = put_upstream()
    run = claim_run(mixed_run_id, worker="test")
    assert run is not None
    _, claimed = in_order(lambda: lift(hold), lambda: claim_entries(mixed_run_id))
    assert claimed == {"good"}
    assert Claim(run, worker="test").hand_on_held() == 2
    assert set(Entry.objects.values_list("upstream", "status")) == {
        ("dead", "queued"),
        ("good", "running"),
    }
    assert find_startable_runs().get().upstream == "dead"


def test_a_lift_while_the_rest_of_a_run_is_handed_on_loses_nothing(mixed_run_id: UUID) -> None:
    hold = put_upstream()
    run = claim_run(mixed_run_id, worker="test")
    assert run is not None
    moved, _ = in_order(Claim(run, worker="test").hand_on_held, lambda: lift(hold))
    assert moved == 3, "nobody had begun any of them"
    assert end_run(run, worker="test")
    assert drained()


def test_a_verb_before_the_hold_commits_makes_a_run_that_is_taken_apart_later() -> None:
    entry = EntryFactory.create(failed=True, kind="routed", payload={"to": "dead"})
    hold, _ = in_order(put_upstream, lambda: retry_entries([entry.pk], actor=SCRIPT))
    assert Run.objects.get().upstream == ""
    settle()
    assert Entry.objects.get().status == "queued"
    assert Run.objects.get(state="queued").upstream == "dead"
    lift(hold)
    assert drained()
