"""Clients that send nothing, little, or far too much, against the real web server."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest

from entries import upload_pass
from tests.api.server import WebServer, web_server
from tests.support.processes import child_environment
from tests.support.servers import wait_until

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)
LOGIN = "/admin/login/"


@pytest.fixture(scope="module")
def web(django_db_setup: None) -> Iterator[WebServer]:
    with web_server() as server:
        yield server


@contextmanager
def connections(web: WebServer, count: int, *, sent: bytes) -> Iterator[list[socket.socket]]:
    """So many clients that send this and no more."""
    with ExitStack() as stack:
        opened = []
        for _ in range(count):
            connection = stack.enter_context(socket.socket(socket.AF_UNIX))
            connection.settimeout(30)
            connection.connect(str(web.path))
            connection.sendall(sent)
            opened.append(connection)
        yield opened


def test_clients_that_send_nothing_or_a_little_keep_nobody_waiting(web: WebServer) -> None:
    """Many times more than there are threads, and a page all the same."""
    head = b"POST /admin/login/ HTTP/1.1\r\nHost: localhost\r\n"
    body = head + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 900\r\n\r\na"
    with (
        connections(web, 100, sent=b""),
        connections(web, 100, sent=head),
        connections(web, 100, sent=body),
    ):
        for path in (LOGIN, "/healthz", "/readyz"):
            answer = web.client.get(path, timeout=10)
            assert answer.status_code == 200, path


def test_a_request_that_does_not_get_ready_is_ended(web: WebServer) -> None:
    with connections(web, 1, sent=b"GET /healthz HTTP/1.1\r\nHost: ") as (client,):
        assert client.recv(1000) == b"", "closed, and no thread had to wait for it"


def test_a_body_that_is_too_large_is_refused_before_it_is_read(web: WebServer) -> None:
    head = "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500000000\r\n\r\n"
    for path, kind in (
        (LOGIN, b"text/plain"),
        ("/admin/entries/source/add/", b"text/plain"),
        ("/admin/entries/source/add/?upload=1:forged:signature", b"text/plain"),
        ("/admin/api/entries", b"application/problem+json"),
    ):
        with connections(web, 1, sent=head.format(path).encode()) as (client,):
            answer = b"".join(iter(lambda: client.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 413 "), path
        assert kind in answer, path


def test_who_was_shown_an_upload_form_may_send_a_large_file(
    web: WebServer, operator: "User"
) -> None:
    path = f"/admin/entries/source/add/?{upload_pass.FIELD}={upload_pass.sign(operator.pk)}"
    answer = web.client.post(path, files={"file": b"x" * 3_000_000})
    assert answer.status_code == 403, "read whole, and refused by the desk for want of a CSRF token"


def test_probes_are_answered_while_every_thread_waits(django_db_setup: None) -> None:
    """Sixteen threads wait for a lock, and more requests for a thread."""
    with (
        # With its limits the desk would give up after three seconds, one request after the other.
        web_server(DATABASE_LIMITS="false") as web,
        psycopg.connect(child_environment()["DATABASE_URL"]) as lock,
        ThreadPoolExecutor(64) as pool,
    ):
        lock.execute("LOCK TABLE django_session IN ACCESS EXCLUSIVE MODE")
        asked = [pool.submit(_page, web) for _ in range(64)]
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        with psycopg.connect(child_environment()["DATABASE_URL"], autocommit=True) as watch:
            wait_until(lambda: (watch.execute(waiting).fetchone() or [0])[0] >= 16, what="all wait")
        for path in ("/healthz", "/readyz"):
            answer = web.client.get(path, timeout=10)
            assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        lock.rollback()
        assert {each.result() for each in asked} <= {200, 302, 503}


def _page(web: WebServer) -> int:
    """Looked up by a session that there is not, so that the table is read."""
    with httpx.Client(
        transport=httpx.HTTPTransport(uds=str(web.path)), base_url="http://localhost", timeout=60
    ) as client:
        return client.get("/admin/", headers={"Cookie": f"sessionid={'a' * 32}"}).status_code
