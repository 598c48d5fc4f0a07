"""Fixed, prove it: stories with real workers and a dispatcher, from the first failure on."""

from typing import TYPE_CHECKING

import pytest

from entries.models import Entry
from entries.states import EntryStatus
from retry import service
from retry.dispatcher.loop import Dispatcher
from retry.error_groups.errors import ProofUnderWay
from retry.errors import NothingEligible
from retry.models import AuditEvent, ErrorGroup, Operation
from retry.operations.progress import read_progress
from retry.service import retry_entries
from retry.worker import run_worker
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT
from tests.support.error_groups import PERSON
from tests.support.operations import work
from tests.support.servers import wait_until

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)

BROKEN = {"do": "fail"}


@pytest.fixture(autouse=True)
def quick(settings: "Settings") -> None:
    settings.REDRIVE_TICK_SECONDS = 0.05


@pytest.fixture
def dispatcher() -> Dispatcher:
    return Dispatcher()


def break_entries(dispatcher: Dispatcher, count: int) -> ErrorGroup:
    """Let so many entries fail in a worker, and wait for their group."""
    made = EntryFactory.create_batch(count, failed=True, kind="grouped", payload=BROKEN)
    ErrorGroup.objects.all().delete()
    retry_entries([entry.pk for entry in made], actor=SCRIPT)
    run(dispatcher)
    return wait_for_group(dispatcher, failures=count)


def run(dispatcher: Dispatcher) -> None:
    dispatcher.tick()
    for queue in ("default", "bulk"):
        run_worker(queue, burst=True)


def wait_for_group(dispatcher: Dispatcher, *, failures: int) -> ErrorGroup:
    found = ErrorGroup.objects.filter(error_class="RuntimeError", failures=failures)

    def known() -> bool:
        dispatcher.tick()
        return found.exists()

    wait_until(known, timeout=5)
    return found.get()


def repair() -> None:
    Entry.objects.update(payload={})


def play(dispatcher: Dispatcher, operation: Operation) -> ErrorGroup:
    """Work until the proof has ended, or stands still."""

    def still() -> bool:
        dispatcher.tick()
        work()
        dispatcher.tick()
        found = read_progress(operation.pk)
        over = found.operation.state == "paused" or found.finished
        return over and not found.running + found.queued

    wait_until(still, timeout=20)
    dispatcher.tick()
    return ErrorGroup.objects.get(error_class="RuntimeError")


def test_a_repaired_group_is_resolved_and_names_the_operation(dispatcher: Dispatcher) -> None:
    group = break_entries(dispatcher, 60)
    assert (group.state, group.failures, group.kinds) == ("open", 60, ["grouped"])
    repair()
    operation = service.prove_group(group.pk, actor=PERSON, reason="deployed 1.2")
    assert (operation.total, operation.canary_size) == (60, 20)
    group = play(dispatcher, operation)
    assert group.state == "resolved"
    assert (group.resolved_operation_id, group.proof_id) == (operation.pk, None)
    assert group.resolved_by == PERSON.label
    assert not Entry.objects.failed().exists()
    event = AuditEvent.objects.get(verb="resolve_group")
    assert (event.operation_id, event.after) == (operation.pk, {"state": "resolved"})


def test_broken_again_it_has_regressed_within_five_seconds(dispatcher: Dispatcher) -> None:
    group = break_entries(dispatcher, 5)
    repair()
    operation = service.prove_group(group.pk, actor=PERSON)
    assert play(dispatcher, operation).state == "resolved"
    late = EntryFactory.create(failed=True, kind="grouped", payload=BROKEN, fingerprint="1-other")
    retry_entries([late.pk], actor=SCRIPT)
    run(dispatcher)

    def regressed() -> bool:
        dispatcher.tick()
        return ErrorGroup.objects.filter(pk=group.pk, state="regressed").exists()

    wait_until(regressed, timeout=5)
    group.refresh_from_db()
    assert group.resolved_operation_id == operation.pk, "still named"
    event = AuditEvent.objects.get(verb="regress_group")
    assert event.operation_id == operation.pk
    assert str(operation.pk) in event.reason


def test_with_the_upstream_still_broken_at_most_the_canary_fails(dispatcher: Dispatcher) -> None:
    group = break_entries(dispatcher, 60)
    operation = service.prove_group(group.pk, actor=PERSON, canary_size=10)
    group = play(dispatcher, operation)
    assert (group.state, group.proof_id) == ("open", operation.pk)
    found = read_progress(operation.pk)
    assert (found.failed, found.planned) == (10, 50)
    assert found.operation.pause_reason == "Canary: 10 of 10 failed, limit 0%"
    with pytest.raises(ProofUnderWay):
        service.prove_group(group.pk, actor=PERSON)
    service.cancel_operation(operation.pk, actor=PERSON)
    dispatcher.tick()
    group.refresh_from_db()
    assert (group.state, group.proof_id) == ("open", None)
    assert AuditEvent.objects.filter(verb="fail_proof").count() == 1


def test_one_that_still_fails_among_the_rest_resolves_nothing(dispatcher: Dispatcher) -> None:
    group = break_entries(dispatcher, 45)
    service.acknowledge_group(group.pk, actor=PERSON)
    repair()
    last = Entry.objects.filter(status=EntryStatus.FAILED).latest("pk")
    Entry.objects.filter(pk=last.pk).update(payload=BROKEN)
    operation = service.prove_group(group.pk, actor=PERSON)
    group = play(dispatcher, operation)
    assert group.state == "acknowledged"
    assert Entry.objects.failed().count() <= 1 + read_progress(operation.pk).planned


def test_an_entry_that_fails_during_the_proof_keeps_the_group_open(dispatcher: Dispatcher) -> None:
    group = break_entries(dispatcher, 4)
    repair()
    operation = service.prove_group(group.pk, actor=PERSON)
    EntryFactory.create(failed=True, fingerprint=group.fingerprint, error_class="RuntimeError")
    group = play(dispatcher, operation)
    assert (group.state, group.proof_id) == ("open", None)
    assert read_progress(operation.pk).succeeded == 4


def test_what_is_held_is_not_proven_until_the_hold_is_lifted(dispatcher: Dispatcher) -> None:
    group = break_entries(dispatcher, 4)
    repair()
    hold = service.hold_kind("grouped", actor=PERSON)
    operation = service.prove_group(group.pk, actor=PERSON)
    run(dispatcher)
    dispatcher.tick()
    group.refresh_from_db()
    assert (group.state, group.proof_id) == ("open", operation.pk)
    service.lift_hold(hold.pk, actor=PERSON)
    assert play(dispatcher, operation).state == "resolved"


def test_a_proof_that_awaits_approval_resolves_nothing_until_it_was_approved(
    dispatcher: Dispatcher, settings: "Settings"
) -> None:
    group = break_entries(dispatcher, 4)
    settings.REDRIVE_APPROVAL_ABOVE = 3
    repair()
    operation = service.prove_group(group.pk, actor=PERSON)
    run(dispatcher)
    group.refresh_from_db()
    assert (group.state, group.proof_id) == ("open", operation.pk)
    assert read_progress(operation.pk).planned == 4
    service.approve_operation(operation.pk, actor=SCRIPT)
    assert play(dispatcher, operation).state == "resolved"


def test_a_proof_that_is_rejected_ends_and_resolves_nothing(
    dispatcher: Dispatcher, settings: "Settings"
) -> None:
    group = break_entries(dispatcher, 4)
    settings.REDRIVE_APPROVAL_ABOVE = 3
    operation = service.prove_group(group.pk, actor=PERSON)
    service.reject_operation(operation.pk, actor=SCRIPT)
    dispatcher.tick()
    group.refresh_from_db()
    assert (group.state, group.proof_id) == ("open", None)
    assert AuditEvent.objects.filter(verb="fail_proof").count() == 1
    assert Entry.objects.failed().count() == 4


def test_there_must_be_something_to_prove(dispatcher: Dispatcher) -> None:
    group = break_entries(dispatcher, 1)
    Entry.objects.all().delete()
    with pytest.raises(NothingEligible):
        service.prove_group(group.pk, actor=PERSON)
    assert not Operation.objects.exists()
