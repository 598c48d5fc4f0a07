"""Large operations wait for a second person, and run exactly as they were approved."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from entries.filters import EntryFilter
from entries.models import Entry
from retry.dispatcher.loop import Dispatcher
from retry.errors import NotPermitted, OperationFinished, TooManyEntries
from retry.models import Action, AuditEvent, Operation, Run
from retry.operations import approval, control
from retry.operations.errors import (
    ApprovedAsItIs,
    AwaitingApproval,
    NotAwaitingApproval,
    OwnOperation,
)
from retry.operations.progress import read_progress
from retry.operations.selection import Selection
from retry.outcomes import Actor, Channel
from retry.service import retry_entries
from tests.conftest import grant
from tests.factories.entries import EntryFactory
from tests.factories.users import UserFactory
from tests.support.asking import SCRIPT
from tests.support.operations import FAILED, failed, start, to_the_end, work

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("short_ticks", "no_shutdown"),
]
SECOND = Actor.command("second")


@pytest.fixture(autouse=True)
def above_three(settings: "Settings") -> None:
    settings.REDRIVE_APPROVAL_ABOVE = 3


def person(name: str, *permissions: str) -> Actor:
    user = grant(UserFactory.create(username=name, is_staff=True), *permissions)
    return Actor.from_user(user, channel=Channel.ADMIN)


def test_it_waits_and_runs_exactly_what_was_approved() -> None:
    failed(4)
    operation = start()
    assert operation.state == "awaiting_approval"
    failed(2)  # later, and so not part of it
    Dispatcher().tick()
    work()
    assert read_progress(operation.pk).planned == 4
    approved = approval.approve(operation.pk, actor=SECOND, reason="agreed")
    assert (approved.state, approved.decided_by) == ("planned", "second")
    done = to_the_end(operation)
    assert (done.succeeded, done.total) == (4, 4)
    assert Entry.objects.filter(status="failed").count() == 2
    event = AuditEvent.objects.get(verb="approve")
    assert (event.actor_label, event.reason, event.count) == ("second", "agreed", 4)
    assert event.before == {"state": "awaiting_approval"}
    assert event.after == {
        "state": "planned",
        "selection": FAILED.data(),
        "total": 4,
        "requested_by": SCRIPT.label,
    }


def test_its_audit_masks_what_is_searched_in_payloads() -> None:
    for _ in range(4):
        EntryFactory.create(failed=True, payload={"password": "hunter2"})
    searched = Selection(filter=EntryFilter(q="payload.password=hunter2"))
    operation = control.start(searched, action=Action.RETRY, actor=SCRIPT)
    approval.approve(operation.pk, actor=SECOND)
    assert AuditEvent.objects.count() == 2
    assert "hunter2" not in str(list(AuditEvent.objects.values_list("before", "after")))


def test_as_many_as_the_setting_names_need_none() -> None:
    failed(3)
    assert start().state == "planned"


def test_by_default_nothing_does(settings: "Settings") -> None:
    settings.REDRIVE_APPROVAL_ABOVE = 0
    failed(4)
    assert start().state == "planned"


def test_rejected_it_is_cancelled_and_nothing_was_touched() -> None:
    failed(4)
    operation = start()
    rejected = approval.reject(operation.pk, actor=SECOND, reason="not tonight")
    assert (rejected.state, rejected.pause_reason) == ("cancelled", "Rejected: not tonight")
    Dispatcher().tick()
    assert read_progress(operation.pk).finished
    assert set(Run.objects.values_list("state", flat=True)) == {"cancelled"}
    assert set(Entry.objects.values_list("status", "attempt")) == {("failed", 1)}
    for verb in (approval.approve, approval.reject):
        with pytest.raises(OperationFinished):
            verb(operation.pk, actor=SECOND)


def test_who_requested_it_decides_over_no_channel() -> None:
    failed(4)
    powers = ("entries.view_entry", "entries.retry_entry", "retry.approve_operation")
    anna = person("anna", *powers)
    operation = control.start(FAILED, action=Action.RETRY, actor=anna)
    same_by_api = Actor.from_user(anna.user, channel=Channel.API) if anna.user else anna
    for actor in (anna, same_by_api, Actor.command("anna")):
        for verb in (approval.approve, approval.reject):
            with pytest.raises(OwnOperation):
                verb(operation.pk, actor=actor)
    assert approval.approve(operation.pk, actor=person("bert", *powers)).state == "planned"


def test_the_permission_to_retry_is_not_the_one_to_approve() -> None:
    failed(4)
    operation = start()
    clara = person("clara", "entries.view_entry", "entries.retry_entry")
    with pytest.raises(NotPermitted):
        approval.approve(operation.pk, actor=clara)


def test_until_then_it_can_only_be_cancelled() -> None:
    failed(4)
    operation = start()
    with pytest.raises(AwaitingApproval):
        control.pause(operation.pk, actor=SCRIPT)
    with pytest.raises(AwaitingApproval):
        control.resume(operation.pk, actor=SCRIPT)
    with pytest.raises(AwaitingApproval):
        control.reschedule(operation.pk, start_at=timezone.now(), actor=SCRIPT)
    assert control.cancel(operation.pk, actor=SCRIPT).state == "cancelled"


def test_approved_it_cannot_be_changed_any_more() -> None:
    failed(4)
    operation = start(start_at=timezone.now() + timedelta(hours=1))
    approval.approve(operation.pk, actor=SECOND)
    with pytest.raises(ApprovedAsItIs):
        control.reschedule(operation.pk, start_at=None, actor=SCRIPT)


def test_approving_twice_is_approving_once() -> None:
    failed(4)
    operation = start()
    approval.approve(operation.pk, actor=SECOND)
    approval.approve(operation.pk, actor=Actor.command("third"))
    assert Operation.objects.get().decided_by == "second"
    assert AuditEvent.objects.filter(verb="approve").count() == 1


def test_what_needed_no_approval_gets_none() -> None:
    failed(1)
    operation = start()
    for verb in (approval.approve, approval.reject):
        with pytest.raises(NotAwaitingApproval):
            verb(operation.pk, actor=SECOND)


def test_a_call_without_an_operation_is_no_way_around_it() -> None:
    ids = [entry.pk for entry in EntryFactory.create_batch(4, failed=True)]
    with pytest.raises(TooManyEntries):
        retry_entries(ids, actor=SCRIPT)
    assert retry_entries(ids[:3], actor=SCRIPT).queued == 3


def test_what_failed_in_one_needs_approval_again() -> None:
    failed(4, do="fail")
    operation = start()
    approval.approve(operation.pk, actor=SECOND)
    to_the_end(operation)
    again = control.retry_failed(operation.pk, actor=SCRIPT)
    assert again.state == "awaiting_approval"
