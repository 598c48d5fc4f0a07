"""What a RabbitMQ says to a task, and what follows; the broker is a double, so that it runs
everywhere."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from entries.foreign_celery import BrokerAway, BrokerRefused, MaybeSent, Message, connect, rabbit
from entries.foreign_celery.addresses import RabbitAddress, split_broker
from tests.support.rabbit_double import Answer, rabbit_double

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytest.importorskip("celery", reason="Celery is not installed: the extra dev has it")

TASK = Message("4ed41fe0-ce1e-8000-8000-000000000000", "shop.mail", "mail", [1], {"to": "x"})


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch, settings: "Settings") -> None:
    settings.REDRIVE_CELERY_HOSTS = ["127.0.0.1"]
    monkeypatch.setattr(rabbit, "_find_patience", lambda: (1.0, 0.2))


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (Answer.NACK, BrokerRefused, "the queue 'mail' is full, or something is wrong with it"),
        (Answer.RETURN, BrokerRefused, "has no queue 'mail' in this virtual host"),
        (Answer.FORBID, BrokerRefused, "may not write to the exchange amq.default"),
        (Answer.TOO_LARGE, BrokerRefused, "refused the task: PreconditionFailed"),
        # The broker has said nothing about the message.
        (Answer.SHUT_DOWN, MaybeSent, "ConnectionForced"),
        (Answer.HANG_UP, MaybeSent, "OSError"),
        (Answer.SILENCE, MaybeSent, "TimeoutError"),
    ],
)
def test_only_what_the_broker_has_said_no_to_was_not_sent(
    answer: Answer, error: type[Exception], says: str
) -> None:
    with rabbit_double(answer) as broker:
        with pytest.raises(error, match=says) as caught, connect(broker.url) as send:
            send(TASK)
        assert len(broker.messages) == 1
    assert "hunter2" not in str(caught.value)
    assert "shop:" not in str(caught.value)


def test_a_name_that_no_queue_can_have_is_not_in_doubt() -> None:
    with rabbit_double(Answer.ACK) as broker:
        task = replace(TASK, queue="\u00e4" * 128)
        with pytest.raises(BrokerRefused, match="has no queue"), connect(broker.url) as send:
            send(task)
        assert broker.messages == []


def test_what_was_confirmed_was_sent() -> None:
    with rabbit_double(Answer.ACK) as broker:
        with connect(broker.url) as send:
            send(TASK)
        assert [message[:15] for message in broker.messages] == [b'[[1], {"to": "x']


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (Answer.LOGIN_REFUSED, BrokerAway, "refused the connection: AccessRefused"),
        (Answer.BLOCKED, BrokerAway, "takes no messages now: it is short of memory or disk space"),
        (Answer.FORBID_ALL, BrokerRefused, "may not write to the exchange amq.default"),
        (Answer.MUTE, BrokerAway, "did not answer: TimeoutError"),
    ],
)
def test_a_broker_that_takes_nothing_is_noticed_before_anything_is_noted(
    answer: Answer, error: type[Exception], says: str
) -> None:
    began = time.monotonic()
    with rabbit_double(answer) as broker:
        with pytest.raises(error, match=says), connect(broker.url):
            raise AssertionError("it could have been sent")
        assert broker.messages == []
    assert time.monotonic() - began < 10


def test_an_address_is_read_once() -> None:
    found = split_broker("amqps://u%40x:p%3Bw@mq.example/%2Fshop")
    who: dict[str, Any] = {"vhost": "/shop", "user": "u@x", "password": "p;w", "secure": True}
    assert found == RabbitAddress(place="mq.example:5671", host="mq.example", **who)
    who = {"vhost": "/", "user": "guest", "password": "guest", "secure": False}
    guest = RabbitAddress(place="[::1]:5672", host="::1", **who)
    assert [split_broker(f"amqp://[::1]{path}") for path in ("", "/", "//")] == [guest] * 3
    assert split_broker("pyamqp://mq.example//").vhost == "/"
