"""An operation keeps the rights of its beginning; who requested it may always end it."""

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Group

from entries.filters import EntryFilter
from entries.models import Entry, Source
from entries.states import EntryStatus
from retry import service
from retry.dispatcher.pacing import pace
from retry.errors import NotPermitted, OperationNotFound
from retry.models import Action, AuditEvent, Operation
from retry.operations.progress import read_progress
from retry.operations.selection import Selection
from retry.outcomes import Actor, Channel
from tests.conftest import grant
from tests.factories.entries import EntryFactory, SourceFactory
from tests.factories.users import UserFactory

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)

MAY = ("entries.view_entry", "entries.retry_entry", "retry.approve_operation")


@pytest.fixture
def source() -> Source:
    found: Source = SourceFactory.create(slug="ours")
    found.groups.add(Group.objects.create(name="ours"))
    return found


@pytest.fixture
def member(source: Source) -> "User":
    user = grant(UserFactory.create(username="member"), *MAY)
    user.groups.add(Group.objects.get(name="ours"))
    return user


def act_as(user: "User") -> Actor:
    return Actor.from_user(type(user).objects.get(pk=user.pk), channel=Channel.API)


def leave(user: "User") -> Actor:
    user.groups.clear()
    return act_as(user)


def start(user: "User") -> Operation:
    chosen = Selection(filter=EntryFilter(status=EntryStatus.FAILED))
    return service.start_operation(chosen, action=Action.RETRY, actor=act_as(user))


def test_it_goes_on_with_what_was_selected(source: Source, member: "User") -> None:
    entries = EntryFactory.create_batch(3, failed=True, source=source)
    operation = start(member)
    assert operation.source_ids == [source.pk]
    leave(member)
    pace()
    left = Entry.objects.filter(pk__in=[entry.pk for entry in entries])
    assert set(left.values_list("status", flat=True)) == {"queued"}


def test_who_requested_it_ends_it_and_no_more(source: Source, member: "User") -> None:
    EntryFactory.create_batch(3, failed=True, source=source)
    operation = start(member)
    actor = leave(member)
    found = read_progress(operation.pk, actor=actor)
    assert (found.total, found.planned, found.operation.total) == (0, 0, 0)
    service.pause_operation(operation.pk, actor=actor)
    with pytest.raises(NotPermitted, match="view_all_sources"):
        service.resume_operation(operation.pk, actor=actor)
    service.cancel_operation(operation.pk, actor=actor)
    assert Operation.objects.get().state == "cancelled"
    again = service.retry_failed(operation.pk, actor=actor)
    assert again.total == 0


def test_for_others_there_is_no_such_operation(source: Source, member: "User") -> None:
    EntryFactory.create(failed=True, source=source)
    operation = start(member)
    other = grant(UserFactory.create(username="other"), *MAY)
    for verb in (
        service.pause_operation,
        service.resume_operation,
        service.cancel_operation,
        service.approve_operation,
        service.retry_failed,
    ):
        with pytest.raises(OperationNotFound):
            verb(operation.pk, actor=act_as(other))
    events = AuditEvent.objects.exclude(actor=member.pk)
    assert not events.exists()


def test_what_is_selected_later_is_what_is_seen_then(source: Source, member: "User") -> None:
    EntryFactory.create(failed=True, source=source)
    leave(member)
    assert start(member).total == 0
