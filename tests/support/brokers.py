"""A Redis whose connections break in the middle of an ``LPUSH``: the outside world at its worst."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import unquote, urlsplit


class CutBroker:
    """Passes everything on to a real Redis, up to the ``LPUSH`` of a message.

    That it counts, passes on if ``delivers``, and hangs up without an answer.
    """

    def __init__(self, redis_url: str, *, delivers: bool) -> None:
        self._behind = redis_url
        self._delivers = delivers
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.pushes = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, database: int) -> str:
        return f"redis://127.0.0.1:{self.port}/{database}"

    def close(self) -> None:
        # Without a shutdown, the accepting thread holds the port.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connected, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connected,), daemon=True).start()

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


@contextmanager
def cut_broker(redis_url: str, *, delivers: bool) -> Iterator[CutBroker]:
    broker = CutBroker(redis_url, delivers=delivers)
    try:
        yield broker
    finally:
        broker.close()
