"""A proxy for PostgreSQL that loses the answers to claims."""

import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, quote, unquote, urlsplit

#: Text of the statement by which a worker claims entries.
_CLAIM = b"SET status = 'running'"


class ClaimLossProxy:
    """Forwards everything; after a claim it closes the connection before the answer arrives."""

    def __init__(self, url: str, *, count: int) -> None:
        self._left = count
        self.lost = 0
        parts = urlsplit(url)
        folder = unquote(parse_qs(parts.query).get("host", [parts.hostname or ""])[0])
        port = parts.port or int(parse_qs(parts.query).get("port", ["5432"])[0])
        self._target = f"{folder}/.s.PGSQL.{port}"
        self._folder = Path(folder) / "proxy"
        self._folder.mkdir(exist_ok=True)
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(self._folder / f".s.PGSQL.{port}"))
        self._listening.listen(64)
        user = f"{parts.username}@" if parts.username else ""
        place = quote(str(self._folder), safe="")
        self.url = f"postgresql://{user}{place}:{port}{parts.path}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._target)
                for source, target, is_request in ((client, server, True), (server, client, False)):
                    threading.Thread(
                        target=self._forward, args=(source, target, is_request), daemon=True
                    ).start()

    def _forward(self, source: socket.socket, target: socket.socket, is_request: bool) -> None:  # noqa: FBT001
        with suppress(OSError):
            while data := source.recv(65536):
                loses = is_request and self._left > 0 and _CLAIM in data
                if loses:
                    self._left -= 1
                    self.lost += 1
                    # The server gets it whole and executes it; the client gets no answer.
                    source.shutdown(socket.SHUT_RDWR)
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
