"""Mails through a real server: accepted, refused, hanging, or not there."""

import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from entries.kinds import registry
from entries.models import Attempt, Entry
from retry.notices.control import send_test_notice
from retry.service import retry_entries
from tests.factories.entries import EntryFactory
from tests.support import notices
from tests.support.asking import SCRIPT
from tests.support.smtp import SmtpServer

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)


def send(settings: "Settings", port: int) -> Entry:
    """A test notice after one try to send it."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    send_test_notice(notices.subscribe_to().pk, actor=SCRIPT)
    notices.deliver()
    return Entry.objects.get(kind="mail")


def test_a_mail_arrives(settings: "Settings") -> None:
    with SmtpServer() as server:
        entry = send(settings, server.port)
    assert entry.status == "succeeded"
    assert entry.result is not None
    assert entry.result["sent"] is True
    [mail] = server.mails
    assert "Subject: [Redrive] This is a test\r\n" in mail
    assert f"Message-ID: {entry.result['message_id']}\r\n" in mail
    assert "script asked for it." in mail


@pytest.mark.parametrize(
    ("command", "answer", "status"),
    [
        ("RCPT", "550 no such user", "failed"),
        ("RCPT", "451 greylisted", "scheduled"),
        ("MAIL", "550 not from you", "failed"),
        ("DATA", "554 spam", "failed"),
        ("DATA", "452 full", "scheduled"),
    ],
)
def test_a_refusal_is_final_or_not_as_the_server_says(
    settings: "Settings", command: str, answer: str, status: str
) -> None:
    with SmtpServer(refusals={command: answer}) as server:
        entry = send(settings, server.port)
    assert (entry.status, server.mails) == (status, [])
    assert f"SMTP {answer[:3]}" in entry.error_message


def test_a_server_that_is_not_there_is_tried_again(settings: "Settings") -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    entry = send(settings, port)
    assert entry.status == "scheduled"
    assert Attempt.objects.get(entry=entry).transient


def test_a_server_that_hangs_costs_its_timeout_and_no_more(settings: "Settings") -> None:
    settings.EMAIL_TIMEOUT = 0.3
    with SmtpServer(silent=True) as server:
        started = time.monotonic()
        entry = send(settings, server.port)
    assert entry.status == "scheduled"
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("payload", [{}, {"delivery": "1"}, {"delivery": 7}, {"delivery": 2**80}])
def test_the_kind_sends_nothing_but_notices(payload: dict[str, Any]) -> None:
    entry = EntryFactory.create(failed=True, kind="mail", payload=payload)
    retry_entries([entry.pk], actor=SCRIPT)
    notices.deliver()
    entry.refresh_from_db()
    assert (entry.status, entry.error_class) == ("failed", "PermanentError")
    assert notices.list_subjects() == []


def test_a_payload_is_checked_before_it_is_edited() -> None:
    kind = registry.get("mail")
    assert kind.problems_with({"delivery": 1}) == []
    assert kind.problems_with({"to": "everyone@example.com"})
