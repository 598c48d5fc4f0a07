"""Reads within a time budget."""

import pytest
from django.db import OperationalError, ProgrammingError, connection, transaction

from entries.budget import OutOfTime, time_budget
from retry.outages import Outage, classify_outage

pytestmark = pytest.mark.django_db(transaction=True)


def run(statement: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def limit() -> object:
    return run("SHOW statement_timeout")


def test_what_takes_too_long_is_stopped_and_the_connection_goes_on() -> None:
    before = limit()
    with pytest.raises(OutOfTime) as stopped, time_budget(0.05):
        run("SELECT pg_sleep(5)")
    assert isinstance(stopped.value, OperationalError)
    assert classify_outage(stopped.value) is Outage.TOO_SLOW
    assert limit() == before


def test_what_is_quick_enough_is_read() -> None:
    with time_budget(5):
        assert limit() == "5s"
        assert run("SELECT 1") == 1


def test_within_another_transaction_its_own_limit_holds_afterwards() -> None:
    with transaction.atomic():
        run("SELECT set_config('statement_timeout', '7s', true)")
        workers = run("SHOW max_parallel_workers_per_gather")
        with time_budget(1):
            assert limit() == "1s"
            assert run("SHOW max_parallel_workers_per_gather") == "0"
        assert limit() == "7s"
        assert run("SHOW max_parallel_workers_per_gather") == workers != "0"
        with pytest.raises(OutOfTime), time_budget(0.05):
            run("SELECT pg_sleep(5)")
        assert limit() == "7s"
        assert run("SELECT 1") == 1, "only the block was rolled back"


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(ProgrammingError), time_budget(1):
        run("SELECT nothing FROM nowhere")
