"""A real web server on the test's database and Redis, reached over a Unix socket."""

import re
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.processes import child_environment
from tests.support.servers import Spawned, spawn, wait_until


@dataclass(frozen=True)
class WebServer:
    path: Path
    client: httpx.Client
    process: Spawned

    @property
    def url(self) -> str:
        """Its address for programs that know no Unix sockets."""
        listening = self.process.wait_for_output("http://127.0.0.1:")
        found = re.search(r"http://127\.0\.0\.1:\d+", listening)
        assert found
        return found[0]

    def stop(self) -> None:
        """Ask it to end; its open requests are answered first."""
        self.process.process.terminate()

    def transport(self) -> httpx.AsyncHTTPTransport:
        return httpx.AsyncHTTPTransport(uds=str(self.path))

    def raw(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the answer to bytes that no client would send."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(20)
            connection.connect(str(self.path))
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(re.split(r":\s*", line, maxsplit=1) for line in lines)
        return int(first.split()[1]), headers, body


@contextmanager
def web_server(**environment: str) -> Iterator[WebServer]:
    """Gunicorn as in the Procfile; ``environment`` is laid over the test's own."""
    with tempfile.TemporaryDirectory(prefix="redrive-web-") as folder:
        path = Path(folder, "web.sock")
        command = ["-m", "gunicorn", "config.wsgi:application"]
        options = ["--config", "config/gunicorn.py", "--bind", f"unix:{path}"]
        options += ["--bind", "127.0.0.1:0"]
        with (
            spawn(
                sys.executable, *command, *options, env=child_environment(**environment)
            ) as process,
            httpx.Client(
                transport=httpx.HTTPTransport(uds=str(path)),
                base_url="http://localhost",
                timeout=30,
            ) as client,
        ):

            def answers() -> bool:
                assert process.running, process.output
                # Before that it is bound and not listening, and a refused connection stays open.
                return (
                    "Listening at" in process.output and client.get("/healthz").status_code == 200
                )

            wait_until(answers, timeout=60, what="the web server answers")
            yield WebServer(path, client, process)
