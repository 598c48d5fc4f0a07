"""``/healthz`` and ``/readyz``. What happens with real stores away is in ``test_real_server``."""

import json
import threading
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from config.web import health
from config.web.health import Check
from tests.support.processes import redis_at
from tests.support.servers import wait_until


def ask(path: str, **environ: Any) -> tuple[int, dict[str, Any]]:
    answer = Client().get(path, **environ)
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, json.loads(answer.content)


class TestAlive:
    """Without the ``db`` fixture a test may not touch the database."""

    def test_needs_no_store(self) -> None:
        with redis_at("unix:///nowhere/redis.sock"):
            assert ask("/healthz") == (200, {"status": "ok"})

    def test_under_any_host(self, settings: Any) -> None:
        settings.ALLOWED_HOSTS = []
        assert ask("/healthz", HTTP_HOST="10.0.0.7:8000")[0] == 200

    def test_is_not_redirected_to_https(self, settings: Any) -> None:
        settings.SECURE_SSL_REDIRECT = True
        assert ask("/healthz")[0] == 200

    @pytest.mark.parametrize("method", ["head", "post", "put", "delete"])
    def test_by_any_method(self, method: str) -> None:
        assert getattr(Client(), method)("/healthz").status_code == 200

    def test_nothing_else_is_taken_for_it(self) -> None:
        assert Client().get("/healthz/").status_code == 404


@pytest.mark.django_db(transaction=True)
class TestReady:
    @pytest.fixture(autouse=True)
    def _patient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(health, "PATIENCE", 20.0)

    def test_with_both_stores(self) -> None:
        assert ask("/readyz") == (200, {"status": "ok"})

    def test_without_redis(self) -> None:
        with redis_at("unix:///nowhere/redis.sock"):
            status, body = ask("/readyz")
        assert status == 503
        assert body == {
            "status": "unavailable",
            "missing": {"redis": "Redis cannot be reached: ConnectionError"},
        }

    def test_without_postgresql(self) -> None:
        database = connections.settings["default"]
        before = database["NAME"]
        database["NAME"] = "nowhere"
        try:
            status, body = ask("/readyz")
        finally:
            database["NAME"] = before
        assert (status, body["missing"]) == (503, {"postgresql": "OperationalError"})


class TestCheck:
    @pytest.fixture(autouse=True)
    def _impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(health, "PATIENCE", 0.05)

    def test_one_that_hangs_is_asked_once(self) -> None:
        answer_now = threading.Event()
        asked = []

        def hang() -> str:
            asked.append(1)
            answer_now.wait(30)
            return ""

        check = Check(hang)
        for _ in range(5):
            assert check.begin()() == "no answer within 0.05 s"
        assert len(asked) == 1
        answer_now.set()
        wait_until(lambda: check.begin()() == "", what="the check recovers")

    def test_one_that_breaks(self) -> None:
        def broken() -> str:
            raise ZeroDivisionError

        assert wait_until(Check(broken).begin()) == "ZeroDivisionError"

    def test_each_time_is_asked_anew(self) -> None:
        answers = iter(["gone", ""])
        check = Check(lambda: next(answers))
        assert wait_until(check.begin()) == "gone"
        assert check.begin()() == ""
