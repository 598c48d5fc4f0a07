"""Dispatchers that stop in the middle of a step, or behind a network that swallows packets."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection

from entries.models import Entry
from retry.models import Action, Heartbeat, Operation
from retry.operations import control
from retry.operations.selection import Selection
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT, queued_entries
from tests.support.freezing import Network
from tests.support.processes import manage, redis_at
from tests.support.servers import Spawned, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

_SLOW = """
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_sleep(1.5); RETURN NEW; END $$;
CREATE TRIGGER slow BEFORE UPDATE OF started_at ON retry_operation
FOR EACH ROW WHEN (OLD.started_at IS NULL) EXECUTE FUNCTION slow();
"""
#: In this database: tests beside this one sleep, too.
_SLEEPS = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND wait_event = 'PgSleep' AND state = 'active'
"""


@contextmanager
def slow_to_begin() -> Iterator[None]:
    """Beginning an operation takes a while in PostgreSQL, with its row locked."""
    with connection.cursor() as cursor:
        cursor.execute(_SLOW)
        try:
            yield
        finally:
            cursor.execute("DROP FUNCTION slow CASCADE")


def leader() -> int | None:
    beat = Heartbeat.objects.filter(name="dispatcher").first()
    return beat.pid if beat else None


def settled(ids: list[int]) -> bool:
    return set(Entry.objects.filter(pk__in=ids).values_list("status", flat=True)) == {"succeeded"}


def executions(ledger: Path) -> list[str]:
    return [line.split()[0] for line in ledger.read_text().splitlines()]


def test_one_that_is_stopped_with_locks_in_its_hands(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    made = EntryFactory.create_batch(
        20, failed=True, kind="grouped", payload={"ledger": str(ledger)}
    )
    ids = [entry.pk for entry in made]
    with manage("dispatcher") as first:
        wait_until(lambda: leader() == first.pid, timeout=30)
        with manage("dispatcher") as second, manage("worker", "bulk"), slow_to_begin():
            second.wait_for_output("dispatcher.started")
            operation = control.start(Selection(ids=tuple(ids)), action=Action.RETRY, actor=SCRIPT)
            with connection.cursor() as cursor:

                def sleeps() -> bool:
                    cursor.execute(_SLEEPS)
                    return cursor.fetchone() is not None

                wait_until(sleeps, timeout=20, what="the dispatcher is in the middle of a step")
            first.send(signal.SIGSTOP)
            stopped = time.monotonic()
            # Somebody pauses and resumes it meanwhile: the row is locked no longer than PostgreSQL
            # lets a transaction idle.
            control.pause(operation.pk, actor=SCRIPT)
            assert time.monotonic() - stopped < 9
            control.resume(operation.pk, actor=SCRIPT)
            wait_until(lambda: leader() == second.pid, timeout=15, what="the standby acts")
            wait_until(lambda: settled(ids), timeout=20, what="and does the work")
            first.send(signal.SIGCONT)
            wait_until(lambda: _refused(first), timeout=10, what="the first one is up again")
            more = queued_entries(3, ledger=str(ledger))
            with manage("worker", "default"):
                wait_until(lambda: settled(more), timeout=20)
            assert first.running
            assert second.running
            assert leader() == second.pid
    assert len(executions(ledger)) == len(set(executions(ledger))) == 23
    assert Operation.objects.get().state == "completed"


def _refused(dispatcher: Spawned) -> bool:
    return any(
        word in dispatcher.output
        for word in ("dispatcher.no_database", "dispatcher.lease_lost", "dispatcher.step_failed")
    )


def database_through(network: Network) -> str:
    """The test's database, by TCP."""
    options = connection.settings_dict
    user = quote(str(options["USER"]), safe="")
    return f"postgresql://{user}@127.0.0.1:{network.port}/{options['NAME']}"


def socket_of_database() -> Path:
    options = connection.settings_dict
    host = options["HOST"] or options["OPTIONS"].get("host", "")
    return Path(host, f".s.PGSQL.{options['PORT'] or 5432}")


def test_one_behind_a_network_that_swallows_its_packets(tmp_path: Path) -> None:
    with Network(socket_of_database()) as network:
        far = database_through(network)
        with manage("dispatcher", DATABASE_URL=far) as first:
            wait_until(lambda: leader() == first.pid, timeout=30)
            with manage("dispatcher") as second, manage("worker", "default"):
                second.wait_for_output("dispatcher.started")
                network.swallow()
                with redis_at(f"unix://{tmp_path}/nobody.sock?db=0"):
                    ids = queued_entries(2)  # for the dispatcher to hand over
                wait_until(lambda: leader() == second.pid, timeout=15, what="the standby acts")
                wait_until(lambda: settled(ids), timeout=20)
                first.wait_for_output("dispatcher.no_database", timeout=10)
                network.mend()
                second.send(signal.SIGTERM)
                assert second.wait() == 0
                wait_until(lambda: leader() == first.pid, timeout=15, what="it is back by itself")


def test_one_that_is_asked_to_go_is_followed_at_once() -> None:
    with manage("dispatcher") as first, manage("dispatcher") as second:
        wait_until(lambda: leader() is not None, timeout=30)
        for each in (first, second):
            each.wait_for_output("dispatcher.started")
        acting, other = (first, second) if leader() == first.pid else (second, first)
        acting.send(signal.SIGTERM)
        assert acting.wait() == 0
        wait_until(lambda: leader() == other.pid, timeout=5)
