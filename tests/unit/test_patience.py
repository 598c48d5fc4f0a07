"""How long a worker goes on asking PostgreSQL for the same."""

import pytest
from django.db import OperationalError
from psycopg import errors

from retry.worker import patience
from retry.worker.patience import ENDLESS, MAX_CANCELLED

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PAUSE_SECONDS", 0.0)


def failing(cause: Exception | None, *, times: int) -> "list[int]":
    """How often it was asked, until it succeeded or was given up."""
    asked: list[int] = []

    def act() -> None:
        asked.append(1)
        if len(asked) <= times:
            raise OperationalError("away") from cause

    try:
        ENDLESS.ask(act)
    except OperationalError:
        asked.append(-1)
    return asked


def test_what_is_away_is_waited_for() -> None:
    assert failing(errors.AdminShutdown(), times=10) == [1] * 11


def test_a_statement_that_takes_too_long_every_time_is_given_up() -> None:
    assert failing(errors.QueryCanceled(), times=10) == [1] * MAX_CANCELLED + [-1]
    assert failing(errors.QueryCanceled(), times=2) == [1] * 3
