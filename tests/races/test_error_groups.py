"""Failures and resolutions of a group at the same moment, in both orders."""

from collections.abc import Callable

import pytest
from django.db import transaction
from django.utils import timezone

from entries.models import Entry
from retry import service
from retry.dispatcher.loop import Dispatcher
from retry.error_groups.errors import ProofUnderWay
from retry.models import AuditEvent, ErrorGroup, Operation
from tests.factories.entries import EntryFactory
from tests.races.test_transitions import in_order
from tests.support.error_groups import PERSON, make_group, note_failures
from tests.support.operations import to_the_end

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def group() -> ErrorGroup:
    return note_failures()


@pytest.fixture
def proven(monkeypatch: pytest.MonkeyPatch) -> ErrorGroup:
    """A group whose proof has succeeded, and has not been settled."""
    group = make_group(3, kind="grouped", payload={})
    monkeypatch.setattr(service, "settle_proofs", lambda **_: 0)
    operation = service.prove_group(group.pk, actor=PERSON)
    assert to_the_end(operation).succeeded == 3
    monkeypatch.undo()
    group.refresh_from_db()
    assert group.proof_id == operation.pk
    return group


def states(group: ErrorGroup) -> str:
    return ErrorGroup.objects.get(pk=group.pk).state


def fail_again() -> ErrorGroup:
    """An entry fails and its failure is folded, in one transaction."""
    EntryFactory.create(failed=True)
    return note_failures()


def test_a_failure_noted_while_a_person_resolves_regresses(group: ErrorGroup) -> None:
    def resolve() -> ErrorGroup:
        return service.resolve_group(group.pk, actor=PERSON)

    in_order(resolve, note_failures)
    assert states(group) == "regressed"


def test_a_person_who_resolves_while_a_failure_is_noted_has_the_last_word(
    group: ErrorGroup,
) -> None:
    in_order(note_failures, lambda: service.resolve_group(group.pk, actor=PERSON))
    assert states(group) == "resolved"
    assert note_failures().state == "regressed"


def settle() -> int:
    return service.settle_proofs(actor=PERSON)


def test_a_failure_noted_while_a_proof_is_settled_regresses(proven: ErrorGroup) -> None:
    settled, _ = in_order(settle, fail_again)
    assert settled == 1
    assert states(proven) == "regressed"
    event = AuditEvent.objects.get(verb="regress_group")
    assert event.operation_id == Operation.objects.get().pk


def test_a_proof_settled_while_a_failure_is_noted_resolves_nothing(proven: ErrorGroup) -> None:
    """Settling passes over a group that is locked; the next one sees the failure."""
    _, settled = in_order(fail_again, settle)
    assert settled == 0
    assert settle() == 1
    assert states(proven) == "open"


def test_a_failure_that_is_not_folded_yet_regresses_what_a_proof_has_resolved(
    proven: ErrorGroup,
) -> None:
    began = timezone.now()
    with transaction.atomic():
        EntryFactory.create(failed=True)
        other_settle(settle)
    assert states(proven) == "resolved"
    assert note_failures(at=began).state == "regressed"


def other_settle(act: Callable[[], int]) -> None:
    """Do it on another connection, which does not see what this one has not committed."""
    import threading

    from django.db import connection

    def run() -> None:
        try:
            assert act() == 1
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)


def test_two_dispatchers_settle_a_proof_once(proven: ErrorGroup) -> None:
    first, second = in_order(settle, settle)
    assert (first, second) == (1, 0)
    assert AuditEvent.objects.filter(verb="resolve_group").count() == 1
    assert Entry.objects.filter(status="failed").count() == 0
    Dispatcher().tick()
    assert states(proven) == "resolved"


def test_of_two_that_acknowledge_the_second_is_the_owner(group: ErrorGroup) -> None:
    def acknowledge() -> ErrorGroup:
        return service.acknowledge_group(group.pk, actor=PERSON)

    in_order(acknowledge, acknowledge)
    assert states(group) == "acknowledged"
    assert AuditEvent.objects.filter(verb="acknowledge_group").count() == 1


def test_of_two_proofs_of_a_group_the_second_is_refused_and_leaves_nothing() -> None:
    group = make_group(2)

    def prove() -> Operation:
        return service.prove_group(group.pk, actor=PERSON)

    with pytest.raises(ProofUnderWay):
        in_order(prove, prove)
    group.refresh_from_db()
    assert group.proof_id == Operation.objects.get().pk
