"""Over the wire: what a web server hands on, and stores that are away."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from retry.access import tokens
from retry.outcomes import Actor
from tests.api.server import WebServer, web_server
from tests.factories.entries import EntryFactory
from tests.support.processes import child_environment
from tests.support.servers import wait_until

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: They share a web server.
pytestmark = [pytest.mark.xdist_group("web"), pytest.mark.django_db(transaction=True)]
RETRY = "/admin/api/retry"
STATUS = "/admin/api/status"
DEAD_DATABASE = "postgresql://nobody@%2Fnowhere/redrive"


@pytest.fixture
def token(operator: "User") -> dict[str, str]:
    made = tokens.create(operator, name="test", actor=Actor.command("test"))
    return {"Authorization": f"Bearer {made}", "Content-Type": "application/json"}


@pytest.fixture
def session(operator: "User") -> dict[str, str]:
    client = Client()
    client.force_login(operator)
    return {"Cookie": f"sessionid={client.cookies[settings.SESSION_COOKIE_NAME].value}"}


def problem(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_bodies_of_every_length(web: WebServer, token: dict[str, str]) -> None:
    entry = EntryFactory.create(failed=True)
    small = [b'{"entry', b'_id": %d}' % entry.id]

    def post(content: bytes | Iterator[bytes], **headers: str) -> httpx.Response:
        return web.client.post(RETRY, headers=token | headers, content=content)

    for size in (3_000_000, 20_000_000):
        piece = b"x" * 100_000
        problem(post(b"x" * size), 413, "body_too_large")
        problem(post(piece for _ in range(size // len(piece))), 413, "body_too_large")
    problem(post(iter([b"{", b""])), 400, "malformed_json")
    form = {"Content-Type": "text/plain; charset=hex"}
    problem(post(b"{}", **form), 415, "unsupported_media_type")
    assert post(iter(small)).status_code == 202
    problem(post(iter(small)), 409, "already_queued")


@pytest.mark.parametrize(
    "framing",
    [
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"Content-Length: 100\r\n\r\n{",
        b"\r\n",
    ],
    ids=["no chunk", "broken chunk", "broken off", "no length"],
)
def test_a_body_that_breaks_off(web: WebServer, token: dict[str, str], framing: bytes) -> None:
    head = "".join(f"{name}: {value}\r\n" for name, value in token.items()).encode()
    request = b"POST /admin/api/retry HTTP/1.1\r\nHost: localhost\r\n" + head + framing
    status, headers, body = web.raw(request)
    assert (status, headers["Content-Type"]) == (400, "application/problem+json")
    assert json.loads(body)["code"] == "malformed_json"
    assert headers["X-Request-Id"], "as waitress spells it"


def test_any_host(web: WebServer, token: dict[str, str]) -> None:
    for host in ("evil.example", "[::1", "a/b"):
        problem(web.client.get(STATUS, headers=token | {"Host": host}), 400, "bad_request")
        assert web.client.get("/healthz", headers={"Host": host}).json() == {"status": "ok"}
        wait_until(partial(ready, web, host), what="ready")


def ready(web: WebServer, host: str) -> bool:
    return web.client.get("/readyz", headers={"Host": host}).status_code == 200


@pytest.fixture(scope="module")
def web(django_db_setup: None) -> Iterator[WebServer]:
    """Started once: it holds no state of its own, and loses its connections on purpose."""
    with web_server() as server:
        yield server


class TestDatabase:
    def test_away(self, token: dict[str, str], session: dict[str, str]) -> None:
        """Also where it is the look-up of the token or the session that fails."""
        with web_server(DATABASE_URL=DEAD_DATABASE) as web:
            for headers in (token, session):
                answer = web.client.get(STATUS, headers=headers)
                problem(answer, 503, "database_unavailable")
                assert answer.headers["Retry-After"] == "5"
                problem(
                    web.client.post(RETRY, headers=headers, content=b'{"entry_id": 1}'),
                    503,
                    "database_unavailable",
                )
            problem(web.client.get(STATUS), 401, "not_authenticated")
            page = web.client.get("/admin/", headers=session)
            assert page.status_code == 503
            assert "Try again in a moment" in page.text
            german = web.client.get("/admin/", headers=session | {"Accept-Language": "de"})
            assert "Die Datenbank ist nicht erreichbar." in german.text
            assert page.headers["Retry-After"] == "5"
            assert page.headers["X-Frame-Options"] == "DENY", "it went through all middleware"
            assert web.client.get("/healthz").status_code == 200
            ready = web.client.get("/readyz")
            assert ready.status_code == 503
            assert ready.json()["missing"] == {"postgresql": "OperationalError"}

    def test_restarted_between_two_requests(self, web: WebServer, token: dict[str, str]) -> None:
        assert web.client.get(STATUS, headers=token).status_code == 200
        with other_connection() as other:
            other.execute(OTHERS.format("pg_terminate_backend(pid)"))
        assert web.client.get(STATUS, headers=token).status_code == 200

    def test_lost_in_the_middle_of_a_request(self, web: WebServer, token: dict[str, str]) -> None:
        waiting = OTHERS + " AND wait_event_type = 'Lock'"
        with (
            ThreadPoolExecutor() as pool,
            other_connection() as watch,
            other_connection() as lock,
            lock.transaction(),
        ):
            lock.execute("LOCK TABLE entries_statustotal IN ACCESS EXCLUSIVE MODE")
            asked = pool.submit(web.client.get, STATUS, headers=token)
            wait_until(lambda: watch.execute(waiting.format("pid")).fetchall(), what="it waits")
            watch.execute(waiting.format("pg_terminate_backend(pid)"))
            problem(asked.result(), 503, "database_unavailable")
        assert web.client.get(STATUS, headers=token).status_code == 200


class TestRedis:
    def test_away(self, token: dict[str, str]) -> None:
        entry = EntryFactory.create(failed=True)
        with web_server(REDIS_URL="unix:///nowhere/redis.sock") as web:
            answer = web.client.post(RETRY, headers=token, json={"entry_id": entry.id})
            assert (answer.status_code, answer.json()["dispatched"]) == (202, False)
            found = web.client.get(STATUS, headers=token).json()
            assert (found["redis"], found["queues"], found["undispatched"]) == (False, None, 1)
            ready = web.client.get("/readyz")
            assert ready.status_code == 503
            assert list(ready.json()["missing"]) == ["redis"]

    def test_silent(self, token: dict[str, str], tmp_path: Path) -> None:
        """It takes the connection and never answers."""
        entry = EntryFactory.create(failed=True)
        with (
            silence(tmp_path / "redis.sock") as path,
            web_server(REDIS_URL=f"unix://{path}", REDRIVE_REDIS_TIMEOUT="0.3") as web,
        ):
            answer = web.client.post(RETRY, headers=token, json={"entry_id": entry.id})
            assert (answer.status_code, answer.json()["dispatched"]) == (202, False)
            assert web.client.get(STATUS, headers=token).json()["redis"] is False


def test_stores_that_are_silent_do_not_keep_a_probe_waiting(tmp_path: Path) -> None:
    with (
        silence(tmp_path / ".s.PGSQL.5432"),
        silence(tmp_path / "redis.sock") as redis,
        web_server(
            DATABASE_URL=f"postgresql://x@{str(tmp_path).replace('/', '%2F')}/x",
            REDIS_URL=f"unix://{redis}",
        ) as web,
    ):
        for _ in range(3):
            ready = web.client.get("/readyz")
            assert ready.status_code == 503
            assert ready.json()["missing"].keys() == {"postgresql", "redis"}
            assert ready.elapsed.total_seconds() < 8  # both in turn would take nine
            assert web.client.get("/healthz").status_code == 200


#: Whatever else is connected to the test's database.
OTHERS = (
    "SELECT {} FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


@contextmanager
def other_connection() -> Iterator[psycopg.Connection]:
    connection.close()  # the test's own must not be among those that are taken away
    with psycopg.connect(child_environment()["DATABASE_URL"], autocommit=True) as other:
        yield other


@contextmanager
def silence(path: Path) -> Iterator[Path]:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen(64)
        yield path
