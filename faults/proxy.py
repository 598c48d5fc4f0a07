"""A PostgreSQL connection that loses the answers to claims."""

import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, quote, unquote, urlsplit

#: In the statement by which a worker claims entries.
_CLAIM = b"SET status = 'running'"


class LosesClaims:
    """Passes everything on; after a claim it closes both ends before the answer has come back."""

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
                for source, target, watched in ((client, server, True), (server, client, False)):
                    threading.Thread(
                        target=self._pass_on, args=(source, target, watched), daemon=True
                    ).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, watched: bool) -> None:  # noqa: FBT001
        with suppress(OSError):
            while data := source.recv(65536):
                loses = watched and self._left > 0 and _CLAIM in data
                if loses:
                    self._left -= 1
                    self.lost += 1
                    # The server gets it whole and does it; the client never hears of that.
                    source.shutdown(socket.SHUT_RDWR)
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
