"""Who is told of what: each event once, to those who may know, without a flood or a feedback."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.core import mail
from django.db import transaction
from django.db.models.functions import Now

from entries.models import Entry
from retry import service
from retry.error_groups.sweep import GroupSweep
from retry.models import (
    ErrorGroup,
    Hold,
    Notice,
    NoticeDelivery,
    NoticeEvent,
    OutcomeFlush,
    Subscription,
    Withheld,
)
from retry.notices.control import TESTS_AN_HOUR
from retry.notices.delivery import tell, tell_due
from retry.notices.recording import Message, record
from retry.outcomes import Actor
from tests.conftest import grant
from tests.factories.entries import EndpointFactory, EntryFactory, SourceFactory
from tests.support import holds, notices
from tests.support.asking import SCRIPT
from tests.support.error_groups import note_failures
from tests.support.hiding import only_source
from tests.support.http import LocalServer

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django.fixtures import Settings

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("short_ticks")]


def test_a_tripped_breaker_is_told(server: LocalServer) -> None:
    notices.subscribe_to()
    holds.tripped("routed", "dead.example")
    notices.let_settle()
    notices.tick()
    assert notices.list_subjects() == ["On hold: dead.example (routed)"]


def test_a_regressed_group_names_who_had_resolved_it() -> None:
    notices.subscribe_to(NoticeEvent.GROUP_REGRESSED)
    group = note_failures()
    service.resolve_group(group.pk, actor=Actor.command("anna"))
    note_failures()
    notices.let_settle()
    notices.tick()
    assert notices.list_subjects() == [f"It is back: {group}"]
    assert "It was resolved by anna." in str(mail.outbox[0].body)


def test_old_failures_that_are_found_late_are_no_news() -> None:
    notices.subscribe_to()
    EntryFactory.create(failed=True, failed_at=Now() - timedelta(days=2))
    GroupSweep().step()
    assert ErrorGroup.objects.count() == 1
    assert not Notice.objects.exists()


def test_a_source_is_told_once_until_it_works_again(server: LocalServer) -> None:
    notices.subscribe_to()
    source = SourceFactory.create(slug="news", location=server.url("/feed"))
    server.answer("/feed", "no feed", status=500)

    def sync() -> None:
        with pytest.raises(Exception, match=r"."):
            service.sync_source(source, actor=SCRIPT)
        notices.tick()

    sync()
    sync()
    assert notices.list_subjects() == ["The source news cannot be synced"]


def test_what_somebody_may_not_see_is_not_sent_to_them(reader: "User") -> None:
    source = SourceFactory.create(slug="theirs")
    grant(reader, "retry.view_errorgroup")
    notices.subscribe_to(user=reader)
    EntryFactory.create(failed=True, fingerprint="1-mine", source=source)
    EntryFactory.create(failed=True, fingerprint="1-hidden", source=SourceFactory.create())
    with only_source("theirs"):
        note_failures("1-hidden", message="hidden")
        note_failures("1-mine", message="mine")
        notices.let_settle()
        notices.tick()
    assert notices.list_subjects() == ["New error: TransientError: mine"]


@pytest.mark.parametrize("change", ["is_active", "is_staff", "permission", "subscription"])
def test_rights_are_those_of_the_moment_of_sending(reader: "User", change: str) -> None:
    grant(reader, "retry.view_errorgroup")
    subscription = notices.subscribe_to(user=reader)
    EntryFactory.create(failed=True)
    note_failures()
    notices.let_settle()
    tell_due()
    assert NoticeDelivery.objects.count() == 1
    match change:
        case "permission":
            reader.user_permissions.clear()
        case "subscription":
            service.unsubscribe(subscription.pk, actor=Actor.command("chief"))
        case _:
            type(reader).objects.filter(pk=reader.pk).update(**{change: False})
    notices.deliver()
    assert mail.outbox == []
    entry = Entry.objects.get(kind="mail")
    assert entry.status == "succeeded"
    assert entry.result is not None
    assert entry.result["sent"] is False
    assert entry.result["why"]


def test_an_hour_has_a_bound_and_one_notice_that_there_is_more(settings: "Settings") -> None:
    settings.REDRIVE_NOTICES_AN_HOUR = 3
    notices.subscribe_to(NoticeEvent.GROUP_NEW)
    for number in range(8):
        note_failures(f"1-{number}", message=f"number {number}")
    notices.let_settle()
    notices.tick()
    assert len(notices.list_subjects()) == 4
    assert notices.list_subjects().count("More happened; see the desk") == 1
    assert NoticeDelivery.objects.filter(withheld=Withheld.TOO_MANY).count() == 5
    NoticeDelivery.objects.filter(withheld="").update(created_at=Now() - timedelta(hours=2))
    note_failures("1-later")
    notices.let_settle()
    notices.tick()
    assert len(notices.list_subjects()) == 5


def test_undeliverable_notices_lead_to_no_notice(server: LocalServer) -> None:
    server.answer("/hooks", "gone", status=410)
    endpoint = EndpointFactory.create(slug="chat", url=server.url("/hooks"))
    hooks = [notices.subscribe_to(endpoint=endpoint) for _ in range(3)]
    notices.subscribe_to()
    for hook in hooks:
        for _ in range(TESTS_AN_HOUR):
            service.send_test_notice(hook.pk, actor=SCRIPT)
    notices.tick()
    assert Entry.objects.filter(kind="webhook", status="failed").count() == 3 * TESTS_AN_HOUR
    assert not OutcomeFlush.objects.exists(), "they count nowhere"
    GroupSweep().step()
    assert not ErrorGroup.objects.exists()
    notices.let_settle()
    notices.tick()
    assert set(notices.list_events()) == {"test"}


def test_a_breaker_that_only_notices_trip_is_no_news(server: LocalServer) -> None:
    server.answer("/hooks", "later", status=503)
    endpoint = EndpointFactory.create(slug="chat", url=server.url("/hooks"))
    hook = notices.subscribe_to(endpoint=endpoint)
    service.send_test_notice(hook.pk, actor=SCRIPT)
    notices.tick()
    holds.tripped("webhook", "chat")
    assert set(notices.list_events()) == {"test"}
    service.lift_hold(Hold.objects.get().pk, actor=SCRIPT)
    EntryFactory.create(failed=True, kind="webhook", payload={"endpoint": "chat"})
    holds.tripped("webhook", "chat")
    assert set(notices.list_events()) == {"test", "breaker_tripped"}


def test_what_is_rolled_back_is_not_told() -> None:
    notices.subscribe_to()
    with transaction.atomic():
        holds.tripped("routed", "dead.example")
        assert Notice.objects.exists()
        transaction.set_rollback(True)
    assert not Notice.objects.exists()


def test_who_subscribes_later_is_not_told_of_what_was() -> None:
    notices.subscribe_to(NoticeEvent.GROUP_NEW, address="first@example.com")
    note_failures()
    Subscription.objects.update(created_at=Now() - timedelta(hours=1))
    late = notices.subscribe_to(address="late@example.com")
    assert late.pk
    notices.let_settle()
    notices.tick()
    assert [sent.to for sent in mail.outbox] == [["first@example.com"]]


def test_a_notice_that_cannot_be_told_does_not_stop_the_others(settings: "Settings") -> None:
    notices.subscribe_to(NoticeEvent.GROUP_NEW)
    for number in range(3):
        note_failures(f"1-{number}")
    notices.let_settle()
    bad = Notice.objects.order_by("pk").first()
    assert bad is not None

    def do(step: object) -> int:
        assert callable(step)
        if getattr(step, "args", ()) == (bad.pk,):
            return 0
        return int(step())

    assert tell_due(do) == 2
    assert tell(bad.pk) == 1


def test_foreign_words_are_bounded_on_one_line_and_call_nobody_in_a_chat(
    server: LocalServer,
) -> None:
    server.answer("/hooks", "ok")
    endpoint = EndpointFactory.create(slug="chat", url=server.url("/hooks"))
    notices.subscribe_to(NoticeEvent.GROUP_NEW, endpoint=endpoint)
    notices.subscribe_to(NoticeEvent.GROUP_NEW)
    note_failures(message="a\r\nBcc: everybody@example.com <!channel> " + "x" * 400)
    notices.let_settle()
    notices.tick()
    [sent] = mail.outbox
    assert len(sent.subject) < 230
    assert "\n" not in sent.subject
    assert "\r" not in sent.subject
    assert sent.recipients() == ["anna@example.com"]
    [body] = notices.list_bodies(server)
    assert "&lt;!channel&gt;" in body["text"]
    assert "<!" not in body["text"]


def test_what_cannot_be_recorded_does_not_undo_what_happened(
    caplog: pytest.LogCaptureFixture,
) -> None:
    notices.subscribe_to()

    def build() -> Message:
        return Message(subject="x", path="/", details={"no JSON": object()})

    with transaction.atomic():
        source = SourceFactory.create(slug="kept")
        record(NoticeEvent.GROUP_NEW, "1", build)
    assert type(source).objects.filter(slug="kept").exists()
    assert not Notice.objects.exists()
    assert "notice.not_recorded" in caplog.text
