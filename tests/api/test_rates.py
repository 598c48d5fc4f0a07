"""Limits on requests a minute: for each token and each address, in all processes together."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from retry import queue
from retry.access import tokens as access_tokens
from retry.api.http import rates
from retry.rates import Rate
from tests.api.calls import Caller, ok, problem
from tests.support.asking import SCRIPT
from tests.support.processes import redis_at

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 29, 12, 0, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _forgotten(settings: "Settings") -> Iterator[None]:
    """At twenty seconds after a full minute, so that no window ends in the middle."""
    settings.REDRIVE_API_TOKEN_RATE, settings.REDRIVE_API_ADDRESS_RATE = 3, 5
    rates.addresses.clear()
    rates.tokens.clear()
    with time_machine.travel(NOON, tick=False):
        yield
    rates.addresses.clear()
    rates.tokens.clear()


@pytest.fixture
def token(chief: "User") -> str:
    with time_machine.travel(0, tick=True):  # PostgreSQL's clock is not moved
        return access_tokens.create(chief, name="x", actor=SCRIPT)


def refused(rate: Rate, key: str = "a", *, limit: int) -> bool:
    return rate.count(key, limit=limit) is not None


def allowed(rate: Rate, key: str = "a", *, limit: int) -> int:
    """How many requests there are until one is refused."""
    return next(n for n in range(limit * 3) if refused(rate, key, limit=limit))


class TestCalls:
    def test_with_one_token(self, token: str, chief: "User") -> None:
        caller = Caller(token=token)
        for _ in range(3):
            ok(caller.get("holds"))
        answer = caller.get("holds")
        problem(answer, 429, "too_many_requests")
        assert answer.headers["Retry-After"] == "41"
        ok(Caller(chief).get("holds")), "a session is no token"

    def test_from_one_address(self, chief: "User", settings: "Settings") -> None:
        caller = Caller(chief)
        answers = [caller.send("GET", "holds", REMOTE_ADDR="203.0.113.7") for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        problem(answers[5], 429, "too_many_requests")
        ok(caller.send("GET", "holds", REMOTE_ADDR="203.0.113.8"))

    def test_ipv6_addresses_of_one_customer_are_one(self) -> None:
        answers = [
            Client().get("/admin/api/holds", REMOTE_ADDR=f"2001:db8:1:2::{n:x}").status_code
            for n in range(6)
        ]
        assert answers == [401] * 5 + [429]
        assert Client().get("/admin/api/holds", REMOTE_ADDR="2001:db8:1:3::1").status_code == 401

    def test_a_refusal_asks_neither_database_nor_redis(self, token: str) -> None:
        caller = Caller(token=token)
        while caller.get("holds").status_code != 429:
            pass
        with CaptureQueriesContext(connection) as statements, redis_at("unix:///nowhere"):
            problem(caller.get("holds"), 429, "too_many_requests")
        assert not statements.captured_queries

    def test_pages_have_no_limit(self, chief: "User") -> None:
        client = Client()
        client.force_login(chief, backend="django.contrib.auth.backends.ModelBackend")
        assert {client.get("/admin/").status_code for _ in range(8)} == {200}

    def test_no_limit(self, token: str, settings: "Settings") -> None:
        settings.REDRIVE_API_TOKEN_RATE = settings.REDRIVE_API_ADDRESS_RATE = 0
        assert {Caller(token=token).get("holds").status_code for _ in range(8)} == {200}

    def test_a_refusal_is_logged_once(self, token: str, caplog: pytest.LogCaptureFixture) -> None:
        caller = Caller(token=token)
        for _ in range(8):
            caller.get("holds")
        lines = [record for record in caplog.records if record.message == "api.rate_exceeded"]
        assert len(lines) == 2, "for the token, then for the address"


class TestProcesses:
    """Each ``Rate`` stands for one process."""

    def test_share_a_small_limit_exactly(self) -> None:
        one, other = Rate("token"), Rate("token")
        for _ in range(2):
            assert not refused(one, limit=5)
            assert not refused(other, limit=5)
        assert not refused(one, limit=5)
        assert refused(one, limit=5)
        assert [refused(other, limit=5) for _ in range(2)] == [False, True]

    def test_share_a_large_limit_up_to_a_step_for_each(self) -> None:
        crowd = [Rate("token") for _ in range(4)]
        count = 0
        while open_ones := [rate for rate in crowd if not refused(rate, limit=1_000)]:
            count += len(open_ones)
        assert 1_000 <= count <= 1_000 + 4 * 1_000 // 50

    def test_tell_redis_seldom(self) -> None:
        told: list[int] = []

        def tell(key: str, count: int, *, seconds: int) -> int:
            told.append(count)
            return queue.add_count(key, count, seconds=seconds)

        rate = Rate("token", tell=tell)
        assert allowed(rate, limit=1_000) == 1_000
        assert told == [20] * 50

    def test_the_next_minute_begins_anew(self) -> None:
        rate = Rate("token")
        assert allowed(rate, limit=4) == 4
        with time_machine.travel(datetime(2026, 11, 29, 12, 1, 0, tzinfo=UTC), tick=False):
            assert allowed(rate, limit=4) == 4

    def test_limit_alone_without_redis_and_say_so_once(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        rate = Rate("token")
        with redis_at("unix:///nowhere/redis.sock"), caplog.at_level(logging.WARNING):
            assert allowed(rate, limit=10) == 10
        lines = [record for record in caplog.records if record.message == "api.rate_not_shared"]
        assert len(lines) == 1

    def test_go_on_where_redis_holds_something_else(self) -> None:
        window = int(NOON.timestamp() // 60)
        queue.get_client().rpush(f"redrive:rate:token:a:{window}", "no number")
        assert allowed(Rate("token"), limit=10) == 10

    def test_remember_so_many_callers(self) -> None:
        rate = Rate("token")
        for n in range(10_500):
            rate.count(str(n), limit=1_000)
        assert len(rate._callers) == 10_000

    def test_leave_nothing_in_redis_for_long(self) -> None:
        rate = Rate("token")
        allowed(rate, limit=5)
        (key,) = queue.get_client().keys("redrive:rate:*")
        assert 0 < queue.get_client().ttl(key) <= 120
