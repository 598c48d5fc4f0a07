"""The demo's upstream: python -m tools.demo.upstream --port N --entries N.

A small site that is broken until a POST to `/repair`. A POST to `/move` gives the missing pages new
addresses in the feed. It listens on 127.0.0.1 only.
"""

import argparse
import contextlib
import hashlib
import json
import os
import select
import signal
import sys
from collections.abc import Mapping
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Any

from tools.demo import documents
from tools.demo.behaviour import Behaviour, behaviour, tally

# Longer than any client of the demo waits.
HANG_SECONDS = 30.0
#: The changes that a POST to each path makes.
CHANGES: Mapping[str, Mapping[str, bool]] = {
    "/repair": {"broken": False},
    "/break": {"broken": True},
    "/move": {"moved": True},
}
HTML, JSON = "text/html; charset=utf-8", "application/json"


class Upstream(ThreadingHTTPServer):
    """A server with a thread for each client; stopping it waits for none."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(
        self,
        *,
        port: int,
        entries: int,
        state: Path | None = None,
        hang_seconds: float = HANG_SECONDS,
        verbose: bool = False,
    ) -> None:
        self.entries = entries
        self.hang_seconds = hang_seconds
        self.verbose = verbose
        self._state = state
        self.broken, self.moved = _load_state(state)
        super().__init__(("127.0.0.1", port), Handler)
        self._publish()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def switch(self, *, broken: bool | None = None, moved: bool | None = None) -> None:
        self.broken = self.broken if broken is None else broken
        if moved is not None:
            self.moved = moved
            self._publish()
        if self._state is not None:
            scratch = self._state.with_name(f"{self._state.name}.new")
            scratch.write_text(json.dumps({"broken": self.broken, "moved": self.moved}))
            scratch.replace(self._state)

    def _publish(self) -> None:
        self.feed = documents.feed(self.entries, base=self.base, moved=self.moved)
        self.etag = f'"{hashlib.sha256(self.feed).hexdigest()[:16]}"'
        # A changed feed also has a new date.
        self.last_modified = documents.update_time(self.entries + int(self.moved))

    def status(self) -> dict[str, Any]:
        counts = tally(self.entries, broken=self.broken)
        return {
            "broken": self.broken,
            "moved": self.moved,
            "entries": self.entries,
            "pages": counts,
        }

    def server_bind(self) -> None:
        # HTTPServer would look up this machine's name, which can take long.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # Clients may disconnect.
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    server: Upstream
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "upstream", ""
    timeout = 60  # of an idle connection

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        number = path.removeprefix("/pages/")
        if path == "/":
            self._answer(HTTPStatus.OK, self._front_page())
        elif path == "/feed.atom":
            self._send_feed()
        elif path == "/status.json":
            self._answer(HTTPStatus.OK, self._status(), JSON)
        elif path == "/style.css":
            self._answer(HTTPStatus.OK, documents.STYLE, "text/css")
        elif number != path and number.isascii() and number.isdigit():
            self._send_page(int(number))
        elif path.startswith("/moved/"):
            self._send_moved_page(path)
        else:
            self._send_not_found()

    do_HEAD = do_GET  # noqa: N815 - the name http.server looks for

    def do_POST(self) -> None:
        # The body is ignored, but must not be read as the next request.
        self.close_connection = True
        change = CHANGES.get(self.path)
        if change is None:
            return self._send_not_found()
        self.server.switch(**change)
        if "text/html" in self.headers.get("Accept", ""):
            return self._answer(HTTPStatus.SEE_OTHER, b"", Location="/")
        return self._answer(HTTPStatus.OK, self._status(), JSON)

    def _send_page(self, number: int) -> None:
        if not 1 <= number <= self.server.entries:
            return self._send_not_found()
        kind = behaviour(number, broken=self.server.broken)
        if kind is Behaviour.HANGS:
            self._wait_for_disconnect()
        if kind is Behaviour.GONE:
            return self._send_not_found()
        if kind is Behaviour.WORKS:
            page = documents.page(documents.page_title(number), "Everything works here.")
            return self._answer(HTTPStatus.OK, page)
        return self._answer(
            HTTPStatus.SERVICE_UNAVAILABLE,
            documents.page("Service unavailable", "Broken on purpose; see the front page."),
        )

    def _send_moved_page(self, path: str) -> None:
        numbers = range(1, self.server.entries + 1)
        found = next((n for n in numbers if documents.address(n, moved=True) == path), None)
        if found is None or not self.server.moved:
            return self._send_not_found()
        page = documents.page(documents.page_title(found), "It has moved here.")
        return self._answer(HTTPStatus.OK, page)

    def _wait_for_disconnect(self) -> None:
        # Readable means that the client has disconnected, or sends out of turn.
        select.select([self.connection], [], [], self.server.hang_seconds)
        self.close_connection = True

    def _send_feed(self) -> None:
        validators = {
            "ETag": self.server.etag,
            "Last-Modified": format_datetime(self.server.last_modified, usegmt=True),
        }
        if self._is_unchanged():
            self._answer(HTTPStatus.NOT_MODIFIED, b"", **validators)
        else:
            kind = "application/atom+xml; charset=utf-8"
            self._answer(HTTPStatus.OK, self.server.feed, kind, **validators)

    def _is_unchanged(self) -> bool:
        """Compare validators; by RFC 9110, 13.2.2, the date counts only without an entity tag."""
        known = self.headers.get("If-None-Match")
        if known is not None:
            tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
            return not tags.isdisjoint({"*", self.server.etag})
        with contextlib.suppress(TypeError, ValueError):
            since = parsedate_to_datetime(self.headers.get("If-Modified-Since", ""))
            return self.server.last_modified <= since
        return False

    def _front_page(self) -> bytes:
        counts = tally(self.server.entries, broken=self.server.broken)
        return documents.front_page(
            broken=self.server.broken, moved=self.server.moved, counts=counts
        )

    def _status(self) -> bytes:
        return json.dumps(self.server.status()).encode() + b"\n"

    def _send_not_found(self) -> None:
        self._answer(HTTPStatus.NOT_FOUND, documents.page("Not found", "Nothing is here."))

    def _answer(
        self, status: HTTPStatus, body: bytes, content_type: str = HTML, **headers: str
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status is not HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its signature
        if self.server.verbose:
            print(f"{self.command} {self.path} {args[1]}", flush=True)


def _load_state(state: Path | None) -> tuple[bool, bool]:
    """Return whether it is broken, and whether the missing pages have moved."""
    if state is None or not state.exists():
        return True, False
    stored = json.loads(state.read_text())
    return bool(stored["broken"]), bool(stored.get("moved", False))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.demo.upstream", description=__doc__)
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--entries", type=int, default=500)
    parser.add_argument("--state", type=Path, metavar="FILE", help="remembers whether it is broken")
    parser.add_argument("--verbose", action="store_true", help="print each request")
    options = parser.parse_args()
    # At once: the threads of the clients end with the process.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    with Upstream(**vars(options)) as server, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


if __name__ == "__main__":
    main()
