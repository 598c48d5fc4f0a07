"""A broker that speaks as much of AMQP 0-9-1 as is needed to say no, or nothing, to one message.

What a real RabbitMQ answers is seen in ``tests/integration/test_celery_rabbit.py``.
"""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto

from tests.support.listening import Listening

_METHOD, _HEADER, _BODY, _END = 1, 2, 3, b"\xce"
_START, _START_OK, _TUNE, _OPEN, _OPEN_OK = (10, 10), (10, 11), (10, 30), (10, 40), (10, 41)
_CLOSE, _CLOSE_OK, _BLOCKED = (10, 50), (10, 51), (10, 60)
_CHANNEL_CLOSE, _PUBLISH, _RETURN, _ACK, _NACK = (20, 40), (60, 40), (60, 50), (60, 80), (60, 120)
_CONFIRM = (85, 10)
#: What is asked for on a channel, and answered without a word more.
_PLAIN = {
    (20, 10): ((20, 11), b"\0\0\0\0"),
    _CHANNEL_CLOSE: ((20, 41), b""),
    _CONFIRM: ((85, 11), b""),
    (90, 10): ((90, 11), b""),
    (90, 30): ((90, 31), b""),
}


class Answer(Enum):
    """What becomes of a message, or of the attempt to send one."""

    ACK = auto()
    NACK = auto()
    RETURN = auto()
    FORBID = auto()
    TOO_LARGE = auto()
    SHUT_DOWN = auto()
    HANG_UP = auto()
    SILENCE = auto()
    #: Before there is a message.
    LOGIN_REFUSED = auto()
    BLOCKED = auto()
    FORBID_ALL = auto()
    MUTE = auto()


class RabbitDouble(Listening):
    """``messages``: the bodies that were sent, other than those that were taken back."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.messages: list[bytes] = []
        super().__init__()
        self.place = f"127.0.0.1:{self.port}"
        self.url = f"amqp://shop:hunter2@{self.place}/shop"

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError, EOFError):
            _read(client, 8)
            if self.answer is Answer.MUTE:
                _read(client, 1)
            tables = b"\0\0\0\0" + _long(b"PLAIN") + _long(b"en_US")
            _say(client, 0, _START, b"\0\x09" + tables)
            confirming = 0
            while True:
                kind, channel, frame = _read_frame(client)
                method = struct.unpack(">HH", frame[:4]) if kind == _METHOD else None
                if method == _CONFIRM:
                    confirming = channel
                if method == _PUBLISH and channel == confirming:
                    _read_frame(client)
                    self.messages.append(_read_frame(client)[2])
                    self._decide(client, channel)
                elif method == _PUBLISH:
                    self._try_out(client, channel)
                elif method is not None:
                    self._reply(client, channel, method)

    def _reply(self, client: socket.socket, channel: int, method: tuple[int, ...]) -> None:
        if method == _START_OK and self.answer is Answer.LOGIN_REFUSED:
            _say(client, 0, _CLOSE, _reason(403, "ACCESS_REFUSED", (0, 0)))
        elif method == _START_OK:
            _say(client, 0, _TUNE, struct.pack(">HIH", 2047, 131_072, 0))
        elif method == _OPEN:
            _say(client, 0, _OPEN_OK, b"\0")
        elif method == _CLOSE:
            _say(client, 0, _CLOSE_OK, b"")
        elif method in _PLAIN:
            _say(client, channel, *_PLAIN[method[0], method[1]])

    def _try_out(self, client: socket.socket, channel: int) -> None:
        if self.answer is Answer.BLOCKED:
            _say(client, 0, _BLOCKED, _short("low on memory"))
            _read_until_the_end(client)
        if self.answer is Answer.FORBID_ALL:
            _say(client, channel, _CHANNEL_CLOSE, _reason(403, "ACCESS_REFUSED", _PUBLISH))

    def _decide(self, client: socket.socket, channel: int) -> None:
        tag = struct.pack(">QB", 1, 0)
        match self.answer:
            case Answer.ACK:
                _say(client, channel, _ACK, tag)
            case Answer.NACK:
                _say(client, channel, _NACK, tag)
            case Answer.RETURN:
                told = struct.pack(">H", 312) + _short("NO_ROUTE") + _short("") + _short("mail")
                _say(client, channel, _RETURN, told)
                header = struct.pack(">HHQH", 60, 0, 2, 0)
                client.sendall(_frame(_HEADER, channel, header) + _frame(_BODY, channel, b"{}"))
                _say(client, channel, _ACK, tag)
            case Answer.FORBID:
                _say(client, channel, _CHANNEL_CLOSE, _reason(403, "ACCESS_REFUSED", _PUBLISH))
            case Answer.TOO_LARGE:
                _say(client, channel, _CHANNEL_CLOSE, _reason(406, "too large", _PUBLISH))
            case Answer.SHUT_DOWN:
                _say(client, 0, _CLOSE, _reason(320, "CONNECTION_FORCED", (0, 0)))
            case Answer.HANG_UP:
                client.shutdown(socket.SHUT_RDWR)
            case _:
                _read_until_the_end(client)


@contextmanager
def rabbit_double(answer: Answer) -> Iterator[RabbitDouble]:
    broker = RabbitDouble(answer)
    try:
        yield broker
    finally:
        broker.close()


def _say(client: socket.socket, channel: int, method: tuple[int, ...], words: bytes) -> None:
    client.sendall(_frame(_METHOD, channel, struct.pack(">HH", *method) + words))


def _frame(kind: int, channel: int, words: bytes) -> bytes:
    return struct.pack(">BHI", kind, channel, len(words)) + words + _END


def _read_frame(client: socket.socket) -> tuple[int, int, bytes]:
    kind, channel, size = struct.unpack(">BHI", _read(client, 7))
    return kind, channel, _read(client, size + 1)[:-1]


def _read(client: socket.socket, size: int) -> bytes:
    read = b""
    while len(read) < size:
        more = client.recv(size - len(read))
        if not more:
            raise EOFError
        read += more
    return read


def _read_until_the_end(client: socket.socket) -> None:
    while client.recv(65_536):
        pass
    raise EOFError


def _reason(code: int, text: str, method: tuple[int, int]) -> bytes:
    return struct.pack(">H", code) + _short(text) + struct.pack(">HH", *method)


def _short(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


def _long(text: bytes) -> bytes:
    return struct.pack(">I", len(text)) + text
