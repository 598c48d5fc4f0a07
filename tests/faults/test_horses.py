"""Kinds that take their work-horse along, or would not let it go; and what that costs whom."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.db import connection

from entries.models import Attempt, Entry
from retry.models import Run
from retry.service import retry_entries
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT, queued_entries
from tests.support.ledger import executions
from tests.support.processes import listening_worker, manage
from tests.support.servers import Spawned, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

#: No lease lapses during a test, and no dispatcher runs: what is settled, the worker settles.
LONG = {"REDRIVE_LEASE_SECONDS": "60"}


@pytest.fixture
def worker() -> Iterator[Spawned]:
    with listening_worker("default", **LONG) as process:
        yield process


@pytest.fixture
def bulk_worker() -> Iterator[Spawned]:
    with listening_worker("bulk", **LONG) as process:
        yield process


def made(count: int, ledger: Path, *, kind: str = "hostile", **payload: object) -> list[int]:
    payload["ledger"] = str(ledger)
    return [e.id for e in EntryFactory.create_batch(count, failed=True, kind=kind, payload=payload)]


def statuses(ids: list[int]) -> Counter[str]:
    return Counter(Entry.objects.filter(pk__in=ids).values_list("status", flat=True))


def lost() -> list[int]:
    """Ids of entries by lost attempts."""
    return list(Attempt.objects.filter(status="lost").values_list("entry_id", flat=True))


def done(ids: list[int]) -> bool:
    return not statuses(ids).keys() & {"queued", "running"}


@pytest.mark.parametrize("do", ["block", "block_all", "swallow"])
def test_what_no_signal_interrupts_fails_by_its_time_limit_and_alone(
    worker: Spawned, ledger: Path, do: str
) -> None:
    before = made(3, ledger)
    (stuck,) = made(1, ledger, do=do)
    after = made(3, ledger)
    retry_entries([*before, stuck, *after], actor=SCRIPT)
    wait_until(lambda: stuck in [run[0] for run in executions(ledger)])
    begun = time.monotonic()
    wait_until(lambda: done([stuck]), timeout=20)
    assert time.monotonic() - begun < 11, "its limit of 1 s plus 10 s"
    wait_until(lambda: done(before + after), timeout=10)
    entry = Entry.objects.get(pk=stuck)
    assert (entry.status, entry.error_class, entry.attempt) == ("failed", "TimeLimitExceeded", 2)
    assert entry.error_message == "took longer than 1 s"
    assert statuses(before + after) == {"succeeded": 6}
    assert [run[0] for run in executions(ledger)] == [*before, stuck, *after]
    assert lost() == []
    assert worker.running


def test_a_killed_work_horse_is_settled_at_once(
    worker: Spawned, ledger: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    ids = made(3, ledger, kind="patient", wait_for=str(gate))
    retry_entries(ids, actor=SCRIPT)
    wait_until(lambda: executions(ledger))
    os.kill(executions(ledger)[0][2], signal.SIGKILL)
    killed = time.monotonic()
    wait_until(lambda: lost() == [ids[0]])
    assert time.monotonic() - killed < 2
    gate.touch()
    wait_until(lambda: statuses(ids) == {"succeeded": 3})
    assert sorted(run[:2] for run in executions(ledger)) == [
        [ids[0], 2],
        [ids[0], 3],
        [ids[1], 2],
        [ids[2], 2],
    ]
    assert "SIGKILL" in Attempt.objects.get(status="lost").error_message


@pytest.mark.parametrize("kind", ["hostile", "hostile_together"])
def test_only_the_killer_is_ever_lost(bulk_worker: Spawned, ledger: Path, kind: str) -> None:
    """By the default each entry is a group of its own; larger ones lose what had begun."""
    (killer,) = made(1, ledger, kind=kind, do="die")
    good = made(40, ledger, kind=kind)
    retry_entries([killer, *good], actor=SCRIPT)
    wait_until(lambda: done([killer, *good]), timeout=30)
    assert statuses(good) == {"succeeded": 40}
    entry = Entry.objects.get(pk=killer)
    assert (entry.status, entry.error_class) == ("failed", "WorkerLost")
    assert lost() == [killer, killer]
    assert Counter(run[0] for run in executions(ledger)) == {killer: 3, **dict.fromkeys(good, 1)}


def test_of_a_group_only_what_had_begun_is_lost_and_goes_on_alone(
    bulk_worker: Spawned, ledger: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    kind = "hostile_together"
    warm = made(20, ledger, kind=kind)  # so that a group has grown
    (killer,) = made(1, ledger, kind=kind, do="die")
    behind = made(20, ledger, kind=kind)
    retry_entries([*warm, killer, *behind], actor=SCRIPT)
    gate.touch()
    wait_until(lambda: done([*warm, killer, *behind]), timeout=30)
    assert statuses(warm + behind) == {"succeeded": 40}
    twice = {id_ for id_, times in Counter(r[0] for r in executions(ledger)).items() if times > 1}
    assert killer in twice
    assert twice.isdisjoint(behind)
    assert set(lost()) == twice
    assert set(Entry.objects.filter(pk__in=behind).values_list("attempt", flat=True)) == {2}
    alone = Run.objects.filter(trigger="rescue")
    assert {run.size for run in alone} == {1}


def test_a_work_horse_that_is_asked_to_stop_as_its_worker_is_finishes_its_entry(
    worker: Spawned, ledger: Path, tmp_path: Path
) -> None:
    """As systemd and container runtimes do it: SIGTERM to every process of a group at once."""
    gate = tmp_path / "gate"
    ids = made(3, ledger, kind="patient", wait_for=str(gate))
    retry_entries(ids, actor=SCRIPT)
    wait_until(lambda: executions(ledger))
    for pid in (executions(ledger)[0][2], worker.pid):
        os.kill(pid, signal.SIGTERM)
    worker.wait_for_output("warm shut down requested")
    gate.touch()
    assert worker.wait() == 0
    assert [e.status for e in Entry.objects.order_by("id")] == ["succeeded", "queued", "queued"]
    assert [run[:2] for run in executions(ledger)] == [[ids[0], 2]]
    assert lost() == []


def children(pid: int) -> list[int]:
    try:
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]
    except OSError:
        return []


def test_a_signal_to_a_work_horse_that_was_just_forked_is_heard_and_kills_nobody(
    bulk_worker: Spawned, ledger: Path
) -> None:
    ids = made(60, ledger, kind="grouped")
    signalled: set[int] = set()

    def signal_new_ones() -> None:
        deadline = time.monotonic() + 30
        while len(signalled) < 10 and time.monotonic() < deadline:
            for child in set(children(bulk_worker.pid)) - signalled:
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGTERM)
                signalled.add(child)

    watching = threading.Thread(target=signal_new_ones)
    watching.start()
    retry_entries(ids, actor=SCRIPT)
    watching.join()
    wait_until(lambda: done(ids), timeout=30)
    assert statuses(ids) == {"succeeded": 60}
    assert len(signalled) == 10
    assert lost() == []
    assert set(Counter(run[0] for run in executions(ledger)).values()) == {1}
    assert "terminated unexpectedly" not in bulk_worker.output


@pytest.mark.parametrize("do", ["interrupt", "cancel", "close", "own"])
def test_whatever_a_kind_raises_is_its_entrys_outcome(
    worker: Spawned, ledger: Path, do: str
) -> None:
    (raising,) = made(1, ledger, do=do)
    good = made(2, ledger)
    retry_entries([raising, *good], actor=SCRIPT)
    wait_until(lambda: done([raising, *good]))
    entry = Entry.objects.get(pk=raising)
    assert (entry.status, entry.attempt) == ("failed", 2)
    name = entry.error_class
    assert name in {"KeyboardInterrupt", "CancelledError", "GeneratorExit", "OwnError"}
    assert "in process" in entry.attempts.get(number=2).traceback
    assert statuses(good) == {"succeeded": 2}
    assert len({run[2] for run in executions(ledger)}) == 1, "all in one work-horse"


@pytest.mark.parametrize("do", ["begin", "atomic", "manual", "write"])
def test_a_transaction_left_open_costs_its_entry_alone(
    bulk_worker: Spawned, ledger: Path, do: str
) -> None:
    kind = "hostile_together"
    before = made(100, ledger, kind=kind)
    (careless,) = made(1, ledger, kind=kind, do=do)
    after = made(100, ledger, kind=kind)
    retry_entries([*before, careless, *after], actor=SCRIPT)
    wait_until(lambda: done([*before, careless, *after]), timeout=20)
    entry = Entry.objects.get(pk=careless)
    assert (entry.status, entry.error_class) == ("failed", "UncleanConnection")
    assert statuses(before + after) == {"succeeded": 200}
    assert set(Counter(run[0] for run in executions(ledger)).values()) == {1}
    assert Attempt.objects.filter(number=2, status="succeeded").count() == 200


def read_only(on: str) -> None:
    """The database for all sessions but this one, as while another server takes over."""
    with connection.cursor() as cursor:
        name = connection.ops.quote_name(str(connection.settings_dict["NAME"]))
        cursor.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {on}")
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_work_done_while_postgresql_is_read_only_is_kept_and_not_redone(
    dispatcher: Spawned, ledger: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    with manage("worker", "default") as worker:
        worker.wait_for_output("Listening on")
        ids = queued_entries(2, kind="patient", ledger=str(ledger), wait_for=str(gate))
        wait_until(lambda: executions(ledger))
        read_only("on")
        try:
            gate.touch()
            worker.wait_for_output("database.away")
            away = time.monotonic()
            wait_until(lambda: time.monotonic() - away > 3, what="longer than a lease")
        finally:
            read_only("off")
        wait_until(lambda: statuses(ids) == {"succeeded": 2}, timeout=20)
        assert "outcome_rejected" not in worker.output
    assert sorted(run[:2] for run in executions(ledger)) == [[id_, 2] for id_ in sorted(ids)]
    assert lost() == []
