"""Brokers whose connections break in the middle of a message: the outside world at its worst."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import unquote, urlsplit

from tests.support.listening import Listening


class CutBroker(Listening):
    """Passes everything on to a real Redis, up to the ``LPUSH`` of a message.

    That it counts, passes on if ``delivers``, and hangs up without an answer.
    """

    def __init__(self, redis_url: str, *, delivers: bool) -> None:
        self._behind = redis_url
        self._delivers = delivers
        self.pushes = 0
        super().__init__()

    def url(self, database: int) -> str:
        return f"redis://127.0.0.1:{self.port}/{database}"

    def _serve(self, client: socket.socket) -> None:
        with client, self._connect() as server, suppress(OSError):
            while said := client.recv(65_536):
                cut = b"LPUSH" in said
                self.pushes += cut
                if cut and not self._delivers:
                    return
                server.sendall(said)
                answer = server.recv(65_536)
                if cut:
                    return
                client.sendall(answer)

    def _connect(self) -> socket.socket:
        parts = urlsplit(self._behind)
        if parts.scheme == "unix":
            server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            server.connect(unquote(parts.path))
            return server
        return socket.create_connection((parts.hostname or "", parts.port or 6379))


class CutRabbit(CutBroker):
    """The same before a RabbitMQ, up to the message of a task."""

    def __init__(self, port: int, *, delivers: bool) -> None:
        self._port_behind = port
        super().__init__("", delivers=delivers)

    def _serve(self, client: socket.socket) -> None:
        cut, answered = threading.Event(), threading.Event()
        with client, self._connect() as server, suppress(OSError):
            words = (server, client, cut, answered)
            threading.Thread(target=self._answer, args=words, daemon=True).start()
            while said := client.recv(65_536):
                if b"shop.charge" not in said:
                    server.sendall(said)
                    continue
                self.pushes += 1
                cut.set()
                if self._delivers:
                    server.sendall(said)
                    answered.wait(10)
                return

    def _answer(
        self,
        server: socket.socket,
        client: socket.socket,
        cut: threading.Event,
        answered: threading.Event,
    ) -> None:
        with suppress(OSError):
            while said := server.recv(65_536):
                if cut.is_set():
                    answered.set()
                    return
                client.sendall(said)

    def _connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._port_behind))


@contextmanager
def cut_rabbit(port: int, *, delivers: bool) -> Iterator[CutRabbit]:
    broker = CutRabbit(port, delivers=delivers)
    try:
        yield broker
    finally:
        broker.close()


@contextmanager
def cut_broker(redis_url: str, *, delivers: bool) -> Iterator[CutBroker]:
    broker = CutBroker(redis_url, delivers=delivers)
    try:
        yield broker
    finally:
        broker.close()
