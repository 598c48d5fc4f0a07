"""A PostgreSQL that is stopped in its tracks, and one on which everything is locked."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import psycopg
import pytest

from tests.api.server import WebServer, web_server
from tests.support.freezing import frozen
from tests.support.processes import child_environment, manage
from tests.support.servers import private_postgres, private_redis, spawn, wait_until
from tools.embedded import PostgresServer

pytestmark = pytest.mark.django_db(transaction=True)

STATUS = "/admin/api/status"


@dataclass
class Desk:
    """A web server on a database and a Redis of its own, and a token for it."""

    postgres: PostgresServer
    redis_pid: int | None
    web: WebServer
    token: dict[str, str]
    environment: dict[str, str]

    def status(self) -> httpx.Response:
        return self.web.client.get(STATUS, headers=self.token)


@pytest.fixture(scope="module")
def desk(django_db_setup: None) -> Iterator[Desk]:
    with private_postgres() as postgres, private_redis() as redis:
        environment = {
            "DATABASE_URL": postgres.url,
            "REDIS_URL": redis.url,
            "DJANGO_SUPERUSER_PASSWORD": "secret",
        }
        command(environment, "migrate", "--verbosity", "0")
        person = ("--username", "boss", "--email", "boss@example.com")
        command(environment, "createsuperuser", "--noinput", *person)
        token = command(environment, "create_token", "boss", "--name", "t").splitlines()[-1]
        with web_server(**environment) as web:
            headers = {"Authorization": f"Bearer {token}"}
            yield Desk(postgres, redis.pid, web, headers, environment)


def command(environment: dict[str, str], *args: str) -> str:
    env = child_environment(**environment)
    with spawn(sys.executable, "manage.py", *args, env=env) as process:
        assert process.wait(120) == 0, process.output
        return process.output.strip()


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    begin = time.monotonic()
    yield
    assert time.monotonic() - begin < seconds


def test_the_web_says_so_within_seconds_and_recovers(desk: Desk) -> None:
    assert desk.status().status_code == 200
    with frozen(desk.postgres.pid):
        for _ in range(3):
            with at_most(8):
                answer = desk.status()
            assert answer.status_code == 503
            assert answer.json()["code"] == "database_unavailable"
            with at_most(1.5):
                assert desk.web.client.get("/readyz").status_code == 503
            with at_most(1):
                assert desk.web.client.get("/healthz").status_code == 200
    wait_until(lambda: desk.status().status_code == 200, timeout=15, what="it recovers")
    wait_until(lambda: desk.web.client.get("/readyz").status_code == 200, timeout=15)


def test_dispatcher_and_worker_recover_by_themselves(desk: Desk) -> None:
    def doing() -> dict[str, object]:
        answer = desk.status()
        return answer.json() if answer.status_code == 200 else {}

    def at_work() -> bool:
        found = doing()
        states = [worker["state"] for worker in found.get("workers", ())]  # type: ignore[attr-defined]
        alive = found.get("dispatcher", {}).get("alive")  # type: ignore[attr-defined]
        return bool(alive) and states == ["idle"]

    quick = desk.environment | {"REDRIVE_BEAT_SECONDS": "1"}
    with manage("dispatcher", **quick) as dispatcher, manage("worker", "bulk", **quick) as worker:
        wait_until(at_work, timeout=40)
        with frozen(desk.postgres.pid):
            dispatcher.wait_for_output("dispatcher.no_database", timeout=15)
            worker.wait_for_output("worker.no_heartbeat", timeout=20)
        with psycopg.connect(desk.postgres.url, autocommit=True) as connection:
            connection.execute(
                "UPDATE retry_workerheartbeat SET beat_at = now() - interval '10 minutes'"
            )
            connection.execute("UPDATE retry_heartbeat SET beat_at = now() - interval '1 hour'")
        wait_until(at_work, timeout=20, what="both are heard of again")


def test_a_lock_on_everything(desk: Desk) -> None:
    """Whoever waits for it is told within seconds, and probes within one."""
    assert desk.status().status_code == 200
    tables = "django_migrations, entries_entry, retry_run, django_session"
    page = {"Cookie": "sessionid=" + "a" * 32}
    with psycopg.connect(desk.postgres.url) as connection:
        connection.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")
        with at_most(1.5):
            assert desk.web.client.get("/readyz").status_code == 503
        with at_most(5):
            answer = desk.status()
        assert (answer.status_code, answer.json()["code"]) == (503, "database_busy")
        assert int(answer.headers["Retry-After"]) > 0
        with at_most(5):
            answer = desk.web.client.get("/admin/", headers=page)
        assert answer.status_code == 503
        assert "Another request is changing the same data" in answer.text
    wait_until(lambda: desk.web.client.get("/readyz").status_code == 200, timeout=10)
    assert desk.status().status_code == 200


def test_a_redis_that_is_silent(desk: Desk) -> None:
    with frozen(desk.redis_pid):
        with at_most(1.5):
            answer = desk.web.client.get("/readyz")
        assert answer.status_code == 503
        assert list(answer.json()["missing"]) == ["redis"]
        with at_most(8):
            assert desk.status().json()["redis"] is False
    wait_until(lambda: desk.web.client.get("/readyz").status_code == 200, timeout=15)
