"""Notices of operations: to who asked for them, who watches, and who may approve."""

from typing import TYPE_CHECKING

import pytest
from django.core import mail

from entries.filters import EntryFilter
from entries.states import EntryStatus
from retry import service
from retry.dispatcher.loop import Dispatcher
from retry.models import Action, Notice, NoticeDelivery, NoticeEvent
from retry.operations import control
from retry.operations.selection import Selection
from retry.outcomes import Actor, Channel
from tests.conftest import grant
from tests.factories.users import UserFactory
from tests.support import notices
from tests.support.operations import failed, start, to_the_end, work

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django.fixtures import Settings

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("short_ticks")]

ALL = Selection(filter=EntryFilter(status=EntryStatus.FAILED))


def make_person(name: str, *permissions: str) -> "User":
    person: User = UserFactory.create(username=name, is_staff=True)
    return grant(person, "entries.view_entry", *permissions)


@pytest.fixture
def anna(db: None) -> "User":
    return make_person("anna", "entries.retry_entry", "retry.view_operation")


def operate(user: "User") -> None:
    actor = Actor.from_user(user, channel=Channel.ADMIN)
    to_the_end(control.start(ALL, action=Action.RETRY, actor=actor))
    notices.tick()


def test_who_asked_for_an_operation_is_told_of_its_end(anna: "User") -> None:
    notices.subscribe_to(user=anna, address="anna@example.com")
    ben = make_person("ben", "retry.view_operation")
    notices.subscribe_to(user=ben, address="ben@example.com")
    chief = make_person("chief", "retry.view_operation")
    notices.subscribe_to(user=chief, address="chief@example.com", everyones=True)
    failed(3)
    operate(anna)
    assert sorted(sent.to[0] for sent in mail.outbox) == ["anna@example.com", "chief@example.com"]
    assert notices.list_subjects()[0] == "Retry of 3 entries has finished: 3 succeeded"
    body = str(mail.outbox[0].body)
    assert "/admin/retry/operation/" in body
    assert "Change which notices you get: http" in body


def test_a_mail_names_itself_the_same_each_time_and_answers_nobody(anna: "User") -> None:
    notices.subscribe_to(user=anna)
    failed(1)
    operate(anna)
    headers = mail.outbox[0].extra_headers
    delivery = NoticeDelivery.objects.get()
    assert headers["Message-ID"] == f"<notice-{delivery.notice_id}-{delivery.pk}@localhost>"
    assert headers["Auto-Submitted"] == "auto-generated"


def test_an_operation_that_pauses_itself_is_told_and_one_paused_by_hand_not_to_who_did_it(
    anna: "User",
) -> None:
    notices.subscribe_to(user=anna)
    actor = Actor.from_user(anna, channel=Channel.ADMIN)
    failed(50, do="fail")
    operation = start(max_failure_rate=0.1, canary_size=5)
    type(operation).objects.update(actor=anna)
    dispatcher = Dispatcher()
    for _ in range(3):
        dispatcher.tick()
        work()
    notices.tick(dispatcher)
    assert [s.partition(": ")[0] for s in notices.list_subjects()] == [
        "Retry of 50 entries is paused"
    ]
    service.resume_operation(operation.pk, actor=actor)
    service.pause_operation(operation.pk, actor=actor, reason="I want to look")
    notices.tick(dispatcher)
    assert len(notices.list_subjects()) == 1
    assert Notice.objects.filter(event=NoticeEvent.OPERATION_PAUSED).count() == 2


def test_who_may_approve_is_told_that_an_operation_waits_and_who_asked_for_it_is_not(
    anna: "User", settings: "Settings"
) -> None:
    settings.REDRIVE_APPROVAL_ABOVE = 2
    grant(anna, "retry.approve_operation")
    notices.subscribe_to(user=anna)
    boss = make_person("boss", "retry.approve_operation")
    notices.subscribe_to(user=boss, address="boss@example.com")
    notices.subscribe_to(user=make_person("ben", "retry.view_operation"))
    failed(3)
    control.start(ALL, action=Action.RETRY, actor=Actor.from_user(anna, channel=Channel.ADMIN))
    notices.tick()
    assert [(m.to, m.subject) for m in mail.outbox] == [
        (["boss@example.com"], "[Redrive] Retry of 3 entries awaits approval")
    ]
