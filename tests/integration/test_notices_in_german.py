"""Mails are in the language of their subscription; webhooks and rows stay English."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from django.core import mail
from django.utils import timezone, translation

from entries.models import Entry
from entries.phrases import phrase, show
from retry.dispatcher.loop import Dispatcher
from retry.models import Hold, Notice, NoticeEvent, Outage, Subscription
from retry.notices import outage_watch
from retry.notices.control import send_test_notice
from retry.notices.events import record_silence
from retry.notices.recording import Message, insert
from retry.notices.words import show_subject, show_text
from retry.operations.selection import Selection
from tests.factories.entries import EndpointFactory
from tests.support import holds, notices, operations
from tests.support.asking import SCRIPT
from tests.support.error_groups import note_failures
from tests.support.http import LocalServer

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("short_ticks")]


def show_german(notice: Notice) -> tuple[str, str]:
    with translation.override("de"):
        return show_subject(notice), show_text(notice)


def test_each_subscription_has_its_own_language(server: LocalServer) -> None:
    server.answer("/hooks", "ok")
    endpoint = EndpointFactory.create(slug="chat", url=server.url("/hooks"))
    notices.subscribe_to(address="hans@example.com", language="de")
    notices.subscribe_to(address="anna@example.com")
    notices.subscribe_to(endpoint=endpoint)
    holds.tripped("routed", "dead.example")
    notices.let_settle()
    notices.tick()
    sent = {each.to[0]: each for each in mail.outbox}
    german, english = sent["hans@example.com"], sent["anna@example.com"]
    assert english.subject == "[Redrive] On hold: dead.example (routed)"
    assert german.subject == "[Redrive] Angehalten: dead.example (routed)"
    assert "Change which notices you get" in str(english.body)
    assert "lifted by itself" in str(english.body)
    assert "Welche Benachrichtigungen Sie bekommen" in str(german.body)
    assert "lifted" not in str(german.body)
    assert "outcomes" not in str(german.body), "what stands in rows is translated as well"
    assert (german.extra_headers["Content-Language"], len(notices.list_bodies(server))) == ("de", 1)
    [body] = notices.list_bodies(server)
    assert body["subject"] == "On hold: dead.example (routed)"
    assert Hold.objects.get().reason in body["text"]
    for entry in Entry.objects.filter(kind="mail"):
        assert entry.result is not None
        assert "On hold" in entry.result["subject"]


def test_without_a_language_it_is_the_projects(settings: "Settings") -> None:
    settings.LANGUAGE_CODE = "de"
    send_test_notice(notices.subscribe_to().pk, actor=SCRIPT)
    send_test_notice(notices.subscribe_to(language="en").pk, actor=SCRIPT)
    notices.deliver()
    assert sorted(notices.list_subjects()) == ["Dies ist ein Test", "This is a test"]


def test_operations_are_named_in_german() -> None:
    notices.subscribe_to(language="de")
    ids = operations.failed(3)
    operations.to_the_end(operations.start(Selection(ids=tuple(ids))))
    notices.tick()
    finished = Notice.objects.get(event=NoticeEvent.OPERATION_FINISHED)
    assert finished.subject == "Retry of 3 entries has finished: 3 succeeded"
    subject, text = show_german(finished)
    assert subject == "Abgeschlossen: Erneut versuchen (3 Einträge): 3 erledigt"
    assert "3 ausgewählte Einträge" in text
    assert "Auftrag von script: again" in text


def test_an_outage_lists_its_parts_in_german() -> None:
    notices.subscribe_to(language="de")
    outage = Outage.objects.create(began_at=timezone.now())
    note_failures("1-new", message="boom")
    part = Notice.objects.get(event=NoticeEvent.GROUP_NEW)
    lines = outage_watch._list_parts(outage)
    insert(NoticeEvent.MORE, "x", Message(subject="x", lines=lines, path="/"))
    assert part.outage == outage
    _, text = show_german(Notice.objects.get(event=NoticeEvent.MORE))
    assert "Neuer Fehler: TransientError: boom" in text


def test_rows_from_before_are_shown_as_they_are() -> None:
    notices.subscribe_to()
    record_silence(datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
    notice = Notice.objects.get()
    assert "schweigt seit 03:04 UTC" in show_german(notice)[0]
    notice.words = None
    assert show_german(notice) == (notice.subject, notice.text)


def test_what_people_wrote_is_not_taken_for_a_sentence_of_ours() -> None:
    with translation.override("de"):
        assert show("The server is paused") == "The server is paused"


def test_what_cannot_be_stored_is_left_out_of_the_words_too() -> None:
    odd = phrase("New error: %(error)s", error="a\x00b \ud800 " + "x" * 5_000)
    insert(NoticeEvent.MORE, "x", Message(subject=odd, lines=(odd,), path="/"))
    subject, text = show_german(Notice.objects.get())
    assert subject.startswith("Neuer Fehler: a\ufffdb")
    assert len(subject) <= 200
    assert len(text) <= 500


def test_the_dispatcher_sends_german_with_english_rows() -> None:
    subscription = notices.subscribe_to(NoticeEvent.GROUP_NEW, language="de")
    note_failures()
    notices.let_settle()
    Dispatcher().tick()
    notices.deliver()
    assert Subscription.objects.get() == subscription
    assert notices.list_subjects()[0].startswith("Neuer Fehler: ")
    assert Notice.objects.get().subject.startswith("New error: ")
