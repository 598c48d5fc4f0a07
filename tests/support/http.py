"""A web server on this machine that says what a test tells it to, well-behaved or not."""

import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came in; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """``chunks`` are sent one by one instead of ``body``, without a Content-Length."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    chunks: Callable[[], Iterable[bytes]] | None = None


class LocalServer:
    """A context manager; ``url("/path")`` is where it listens, on a port of its own.

    It hangs up after each answer, without saying so, unless it ``keeps`` connections.
    """

    def __init__(self, *, keeps: bool = False, tls: ssl.SSLContext | None = None) -> None:
        self.keeps = keeps
        self._scheme = "https" if tls else "http"
        #: Set when the server is closing: what a handler that drags its feet waits for.
        self.closing = threading.Event()
        self.received: list[Received] = []
        #: A port of the client for each connection.
        self.accepted: list[int] = []
        self._routes: dict[str, Reply | Callable[[BufferedIOBase], object]] = {}
        self._server = _Server(("127.0.0.1", 0), self._handler())
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def url(self, path: str = "/", *, host: str = "127.0.0.1") -> str:
        return f"{self._scheme}://{host}:{self.port}{path}"

    def answer(
        self,
        path: str,
        body: bytes | str = b"",
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        chunks: Callable[[], Iterable[bytes]] | None = None,
    ) -> str:
        """Answer requests for ``path`` like this from now on; returns the URL.

        A ``path`` without a query is for every query that has no answer of its own.
        """
        data = body.encode() if isinstance(body, str) else body
        self._routes[path] = Reply(status, dict(headers or {}), data, chunks)
        return self.url(path)

    def answer_raw(self, path: str, write: Callable[[BufferedIOBase], object]) -> str:
        """Let ``write`` put whatever it likes on the wire, status line and all."""
        self._routes[path] = write
        return self.url(path)

    def drip(self, piece: bytes = b"x", *, every: float = 0.02) -> Iterable[bytes]:
        """``piece`` again and again, slowly, until the client or the test has had enough."""
        while not self.closing.wait(every):
            yield piece

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        local = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                local.accepted.append(self.client_address[1])
                super().setup()

            def do_GET(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(int(headers.get("content-length", 0)))
                local.received.append(Received(self.command, self.path, headers, body))
                self.close_connection = not local.keeps
                path = self.path if self.path in local._routes else self.path.partition("?")[0]
                route = local._routes.get(path, Reply(status=404))
                if callable(route):
                    route(self.wfile)
                else:
                    self._reply(route)

            do_POST = do_GET  # noqa: N815 - named after the method

            def _reply(self, reply: Reply) -> None:
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if reply.chunks is None and "Content-Length" not in reply.headers:
                    self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                for chunk in reply.chunks() if reply.chunks else [reply.body]:
                    self.wfile.write(chunk)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name
                """Silence: the tests ask ``received``."""

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A client that hangs up early is what many tests are about.
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that breaks off is no error of the server."""
