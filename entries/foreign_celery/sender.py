"""Sends tasks to the broker of another installation; nothing else imports Celery.

Celery is an extra (``redrive[celery]``), imported when the first task is sent, in a worker. It
makes the message (its protocol 2, as JSON) and brings it to the broker, once: nothing here, in
Celery, in kombu, in py-amqp or in redis-py tries again. Nothing is declared there and nothing is
read.
"""

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings

from entries.foreign_celery.addresses import (
    describe,
    find_broker_problem,
    is_rabbit,
    split_broker,
)
from entries.foreign_celery.broker_errors import (
    BrokerAway,
    BrokerRefused,
    CeleryMissing,
    MaybeSent,
)
from entries.foreign_celery.rabbit import check_queue, find_refusal, open_channel


@dataclass(frozen=True, slots=True)
class Message:
    """A task to be sent. ``args`` and ``kwargs`` are JSON."""

    id: str
    task: str
    queue: str
    args: Sequence[Any]
    kwargs: Mapping[str, Any]


@contextmanager
def connect(url: str, *, prefix: str = "") -> Iterator[Callable[[Message], None]]:
    """Connect to a broker, and lend the function that sends one task to it, once.

    Raises ``BrokerRefused``, ``CeleryMissing`` or ``BrokerAway`` before anything is sent. The
    function raises ``MaybeSent``, or ``BrokerAway`` or ``BrokerRefused`` where the broker has said
    no. ``prefix`` is their ``global_keyprefix``.
    """
    problem = find_broker_problem(url)
    if problem:
        raise BrokerRefused(problem)
    with _IMPORTING:
        app = _make_app()
    with _open_rabbit(app, url) if is_rabbit(url) else _open_redis(app, url, prefix) as send:
        yield send


@contextmanager
def _open_rabbit(app: Any, url: str) -> Iterator[Callable[[Message], None]]:
    place = describe(url)
    with open_channel(app, split_broker(url)) as channel:

        def send(message: Message) -> None:
            check_queue(message.queue, place=place)
            try:
                _publish(app, channel, message, mandatory=True)
            except Exception as error:
                refusal = find_refusal(error, place=place, queue=message.queue)
                raise refusal or MaybeSent(type(error).__name__) from error

        yield send


@contextmanager
def _open_redis(app: Any, url: str, prefix: str) -> Iterator[Callable[[Message], None]]:
    connection = _connect_redis(app, url, prefix)
    try:
        try:
            channel = connection.channel()  # connects, and asks for a sign of life
        except Exception as error:
            name = type(error.__cause__ or error).__name__
            raise BrokerAway(f"the broker at {describe(url)} did not answer: {name}") from error

        def send(message: Message) -> None:
            try:
                _publish(app, channel, message)
            except Exception as error:
                name = type(error).__name__
                if _is_answer(error):
                    raise BrokerAway(f"the broker at {describe(url)} refused: {name}") from error
                raise MaybeSent(name) from error

        yield send
    finally:
        # What was sent was sent, however the connection ends.
        with suppress(Exception):
            connection.release()


#: Threads import Celery one after the other.
_IMPORTING = threading.Lock()


@cache
def _make_app() -> Any:
    try:
        from celery import Celery  # an extra, and a third of a second
    except ImportError as error:
        raise CeleryMissing(
            "tasks are sent by Celery, which is not installed here: pip install redrive[celery]"
        ) from error
    # Without fixups, which would take this Django project for theirs; not the app of this process.
    app = Celery("redrive", backend="disabled", fixups=[], set_as_current=False)
    # Given, so that no environment variable of this process decides.
    app.config_from_object({"task_protocol": 2, "task_serializer": "json"})
    return app


def _connect_redis(app: Any, url: str, prefix: str) -> Any:
    seconds = max(settings.REDRIVE_REDIS_TIMEOUT, 1.0)
    options: dict[str, Any] = {
        "socket_timeout": 5 * seconds,
        "socket_connect_timeout": seconds,
        "retry_on_timeout": False,
    }
    if prefix:
        options["global_keyprefix"] = prefix
    secure = url.startswith("rediss:")
    return app.amqp.Connection(
        url,
        connect_timeout=seconds,
        transport_options=options,
        ssl={"ssl_cert_reqs": ssl.CERT_REQUIRED} if secure else None,
    )


def _publish(app: Any, channel: Any, message: Message, **options: Any) -> None:
    task = app.amqp.as_task_v2(message.id, message.task, list(message.args), dict(message.kwargs))
    app.amqp.send_task_message(
        app.amqp.Producer(channel, auto_declare=False),
        message.task,
        task,
        queue=message.queue,
        serializer="json",
        retry=False,
        # The queue is theirs: it is there, with options that are not known here.
        declare=[],
        **options,
    )


def _is_answer(error: BaseException) -> bool:
    """Say whether an error is what Redis has answered, such as "out of memory".

    By its name: redis-py is not imported here.
    """
    return any(base.__name__ == "ResponseError" for base in type(error).__mro__)
