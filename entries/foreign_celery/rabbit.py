"""A connection to the RabbitMQ of another installation; nothing is declared there or read.

Left to itself, RabbitMQ drops what it cannot route. While it is short of memory or disk space, it
answers nothing, and takes what was sent meanwhile when that is over. So every message must be
routed and confirmed, and before one is sent, it is tried out whether the broker takes any.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.conf import settings

from entries.foreign_celery.addresses import RabbitAddress
from entries.foreign_celery.broker_errors import BrokerAway, BrokerRefused

#: Of the protocol (AMQP 0-9-1): answers that concern one message or channel, and the methods that
#: send and return. Whatever ends the whole connection is no answer to a message.
_NO_ROUTE, _FORBIDDEN = 312, 403
_REFUSALS = {311, _FORBIDDEN, 404, 405, 406}
_PUBLISH, _RETURN = (60, 40), (60, 50)
#: Bytes that the protocol has for the name of a queue.
_MAX_NAME = 255


class _Blocked(Exception):
    """The broker is short of memory or disk space, and reads no further from this connection."""


@contextmanager
def open_channel(app: Any, address: RabbitAddress) -> Iterator[Any]:
    """Connect, and lend a channel that sends ``mandatory`` messages and waits for their answers.

    ``app`` is Celery's. Raises ``BrokerAway``, or ``BrokerRefused`` where the user may not send.
    """
    seconds, last_seconds = _find_patience()
    connection = _prepare(app, address, seconds)
    try:
        try:
            channel = _connect(connection, seconds)
        except Exception as error:
            if isinstance(error, OSError | _Blocked):
                _drop(connection)  # it would not answer a farewell either
            raise _explain(error, address.place) from error
        yield channel
    finally:
        _hang_up(connection, last_seconds)


def find_refusal(error: BaseException, *, place: str, queue: str) -> BrokerRefused | None:
    """Return what the broker has said about a message, None where that may have been sent.

    Only the answer to the message itself counts: a connection that ends in the middle says nothing.
    """
    # By name and by number: the client is not imported here.
    if type(error).__name__ == "MessageNacked":
        return BrokerRefused(
            f"the broker at {place} refused the task: the queue {queue[:100]!r} is full, or "
            "something is wrong with it"
        )
    method, code = getattr(error, "method_sig", None), getattr(error, "reply_code", None)
    if method == _RETURN and code == _NO_ROUTE:
        return _miss(queue, place)
    if method != _PUBLISH or code not in _REFUSALS:
        return None
    if code == _FORBIDDEN:
        return _forbid(place)
    return BrokerRefused(f"the broker at {place} refused the task: {type(error).__name__}")


def check_queue(queue: str, *, place: str) -> None:
    """Raise ``BrokerRefused`` where there can be no queue of that name."""
    if len(queue.encode()) > _MAX_NAME:
        raise _miss(queue, place)


def _prepare(app: Any, address: RabbitAddress, seconds: float) -> Any:
    """Return a connection that is not made yet."""
    # The client's own class: what Celery wraps around it would connect twice.
    client = app.amqp.Connection(transport="pyamqp").get_transport_cls().Connection
    tls = {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": address.host}
    return client(
        host=address.place,
        userid=address.user,
        password=address.password,
        virtual_host=address.vhost,
        login_method="PLAIN",
        client_properties={"connection_name": "redrive"},
        connect_timeout=seconds,
        heartbeat=0,
        ssl=tls if address.secure else False,
        # Its own is a second, and what was not acknowledged by then would be in doubt.
        socket_settings=_give_up_after(seconds),
    )


def _find_patience() -> tuple[float, float]:
    """Return the seconds that an answer is waited for, and those for the last one."""
    seconds = max(settings.REDRIVE_REDIS_TIMEOUT, 1.0)
    return 5 * seconds, seconds


def _connect(connection: Any, seconds: float) -> Any:
    connection.connect()
    # Otherwise it would wait for most answers without a limit.
    connection.sock.settimeout(seconds)
    _try_out(connection)
    channel = connection.channel()
    channel.confirm_select()
    channel.basic_publish = channel.basic_publish_confirm
    return channel


def _try_out(connection: Any) -> None:
    """Begin to send, and take it back: nothing has come of it, whatever happens meanwhile."""
    connection.on_blocked = _raise_blocked
    trial = connection.channel()
    trial.tx_select()
    trial.basic_publish(trial.prepare_message(b""), exchange="", routing_key="")
    trial.tx_rollback()
    trial.close()
    # Later on, the broker may still take the message that it is about to stop at.
    connection.on_blocked = None


def _raise_blocked(reason: str) -> None:
    raise _Blocked(reason)


def _explain(error: Exception, place: str) -> BrokerAway | BrokerRefused:
    if isinstance(error, _Blocked):
        return BrokerAway(
            f"the broker at {place} takes no messages now: it is short of memory or disk space"
        )
    code = getattr(error, "reply_code", None)
    if code == _FORBIDDEN and getattr(error, "method_sig", None) == _PUBLISH:
        return _forbid(place)
    said = "refused the connection" if code else "did not answer"
    return BrokerAway(f"the broker at {place} {said}: {type(error).__name__}")


def _miss(queue: str, place: str) -> BrokerRefused:
    return BrokerRefused(
        f"the broker at {place} has no queue {queue[:100]!r} in this virtual host, or it does not "
        "run"
    )


def _forbid(place: str) -> BrokerRefused:
    return BrokerRefused(
        f"the broker at {place} refused the task: the user may not write to the exchange "
        "amq.default of the virtual host"
    )


def _give_up_after(seconds: float) -> dict[int, int]:
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    return {} if option is None else {option: round(1000 * seconds)}


def _hang_up(connection: Any, seconds: float) -> None:
    """Take leave, and wait ``seconds`` for the answer at most. Raises nothing."""
    with suppress(Exception):
        # Asked for its socket when it has none, it would connect again.
        if connection.connected:
            connection.sock.settimeout(seconds)
            connection.close()
    _drop(connection)


def _drop(connection: Any) -> None:
    with suppress(Exception):
        connection.collect()
