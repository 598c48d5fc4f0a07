"""Dispatchers that die between the two transactions of a step, and steps that lose theirs."""

import signal
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import DatabaseError, connection

from entries.models import Attempt, Entry
from retry.dispatcher import pacing
from retry.dispatcher.lane import Lane
from retry.models import Operation, Run
from retry.operations import control
from retry.operations.progress import read_progress
from tests.support.asking import SCRIPT
from tests.support.operations import failed, start, to_the_end
from tests.support.processes import child_environment, manage
from tests.support.servers import Spawned, spawn, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

#: Entries of a transaction here, and of a run.
SMALL = 10
#: What the second step begins with is counted by its own transaction, the last of what it writes.
_SLOW_TO_COUNT = """
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_sleep(3); RETURN NEW; END $$;
CREATE TRIGGER slow BEFORE UPDATE OF paced_entries ON retry_operation
FOR EACH ROW WHEN (OLD.paced_entries > 0) EXECUTE FUNCTION slow();
"""
_SLOW_BESIDE = """
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_sleep(2); RETURN NEW; END $$;
CREATE TRIGGER slow BEFORE UPDATE OF state ON retry_run
FOR EACH ROW WHEN (OLD.state = 'planned' AND NEW.position = 2) EXECUTE FUNCTION slow();
"""
#: In this database: tests beside this one sleep, too.
_SLEEPS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event = 'PgSleep' AND state = 'active'
"""
#: The step's session waits for the other one, in its transaction.
_END_THE_STEP = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND state = 'idle in transaction'
"""


@contextmanager
def made_slow(how: str) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(how)
        try:
            yield
        finally:
            cursor.execute("DROP FUNCTION slow CASCADE")


def until_it_sleeps() -> None:
    with connection.cursor() as cursor:

        def sleeps() -> bool:
            cursor.execute(_SLEEPS)
            return bool(cursor.fetchone()[0])

        wait_until(sleeps, timeout=20, what="the second step is where it is slow")


def dispatching_little() -> Spawned:
    environment = child_environment() | {"REDRIVE_ROLE": "dispatcher"}
    return spawn(sys.executable, "-m", "tests.support.small_steps", str(SMALL), env=environment)


def states() -> list[str]:
    return list(Run.objects.order_by("position").values_list("state", flat=True))


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "BATCH_ENTRIES", SMALL)


def test_killed_when_one_of_two_transactions_is_committed(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    ids = failed(5 * SMALL, ledger=str(ledger))
    operation = start()
    with made_slow(_SLOW_TO_COUNT):
        with dispatching_little() as first:
            until_it_sleeps()
            first.send(signal.SIGKILL)
            first.wait()
        left = ["queued", "planned", "queued", "planned", "planned"]
        wait_until(lambda: states() == left, timeout=30)
    with manage("dispatcher"), manage("worker", "bulk"):
        wait_until(lambda: read_progress(operation.pk).finished, timeout=60)
    assert read_progress(operation.pk).succeeded == len(ids)
    executed = Counter(int(line.split()[0]) for line in ledger.read_text().splitlines())
    assert executed == dict.fromkeys(ids, 1), "nothing lost, nothing twice"
    assert Attempt.objects.filter(number=2).count() == len(ids)


@pytest.mark.usefixtures("small_steps")
def test_a_pause_waits_for_what_has_lost_its_step() -> None:
    failed(5 * SMALL)
    operation = start()
    assert pacing.step(operation.pk) == SMALL

    def lose_the_step() -> None:
        try:
            with Lane() as lane, pytest.raises(DatabaseError):
                pacing.step(operation.pk, lane=lane)
        finally:
            connection.close()

    with made_slow(_SLOW_BESIDE), ThreadPoolExecutor(1) as pool, connection.cursor() as cursor:
        step = pool.submit(lose_the_step)
        until_it_sleeps()

        def ended() -> bool:
            cursor.execute(_END_THE_STEP)
            return cursor.fetchone() is not None

        wait_until(ended, what="the step waits in its transaction, which is ended")
        control.pause(operation.pk, actor=SCRIPT)
        paused_with = states()
        step.result()
    assert paused_with == states() == ["queued", "planned", "queued", "planned", "planned"]
    assert pacing.step(operation.pk) == 0
    control.resume(operation.pk, actor=SCRIPT)
    assert to_the_end(operation).succeeded == 5 * SMALL


@pytest.mark.usefixtures("small_steps")
def test_what_failed_beside_a_step_is_started_by_a_later_one() -> None:
    ids = failed(4 * SMALL)
    operation = start()
    assert pacing.step(operation.pk) == SMALL
    held = Run.objects.get(position=2).entry_ids[0]

    def step() -> int:
        try:
            with Lane() as lane:
                return pacing.step(operation.pk, lane=lane)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        from django.db import transaction

        with transaction.atomic():  # longer than a step waits for it
            Entry.objects.select_for_update().get(pk=held)
            assert pool.submit(step).result() == SMALL
        assert states() == ["queued", "queued", "planned", "planned"]
        assert pool.submit(step).result() == 2 * SMALL
    assert Operation.objects.get().paced_entries == len(ids)
    assert to_the_end(operation).succeeded == len(ids)
