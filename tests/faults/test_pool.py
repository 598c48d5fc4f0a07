"""Several workers under one parent: stopped, killed, and left by it."""

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from entries.models import Entry
from retry import heartbeats
from retry.models import Run
from tests.factories.entries import EntryFactory
from tests.support.asking import queued_entries
from tests.support.ledger import executions
from tests.support.processes import manage, redis_at
from tests.support.servers import Spawned, private_redis, process_exists, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

QUICK = {"REDRIVE_BEAT_SECONDS": "0.5"}
DIED = re.compile(r"pool\.worker_died .*?pause=([\d.]+)")


@contextmanager
def pool(*options: str, **changes: str) -> Iterator[Spawned]:
    """Two idle workers, w-1 and w-2, of the queue for clicks."""
    words = ("worker", "default", "--processes", "2", "--name", "w", *options)
    with manage(*words, **QUICK, **changes) as parent:
        wait_until(lambda: set(pids()) == {"w-1", "w-2"}, timeout=40, what="both are idle")
        yield parent


def pids(state: str = "idle") -> dict[str, int]:
    return {w.name: w.pid for w in heartbeats.list_workers() if w.state == state and not w.silent}


def successor(victims: list[int]) -> int:
    """The pid of the idle w-1 that is none of these, whose rows still stand; 0 without one."""
    found = heartbeats.list_workers()
    own = (w.pid for w in found if w.name == "w-1" and w.state == "idle" and w.pid not in victims)
    return next(own, 0)


def busy_workers(ledger: Path, gate: Path) -> list[int]:
    """Give each worker an entry that waits for the gate; return the pids of the work-horses."""
    for _ in range(2):
        queued_entries(1, kind="patient", ledger=str(ledger), wait_for=str(gate))
    wait_until(lambda: len(executions(ledger)) == 2, timeout=20, what="both are at work")
    return [execution[2] for execution in executions(ledger)]


def settled() -> bool:
    return not Entry.objects.exclude(status="succeeded").exists()


def test_asked_to_stop_each_worker_finishes_its_entry(ledger: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with pool() as parent:
        workers = pids()
        horses = busy_workers(ledger, gate)
        assert len(set(horses)) == 2
        parent.send(signal.SIGTERM)
        wait_until(lambda: parent.output.count("warm shut down requested") == 2)
        assert parent.running
        gate.touch()
        assert parent.wait() == 0
        assert settled()
        assert not any(process_exists(pid) for pid in workers.values())
    assert heartbeats.list_workers() == []


def test_each_worker_watches_its_own_work_horse(
    dispatcher: Spawned, ledger: Path, tmp_path: Path
) -> None:
    """Else the lease of only one of the runs would be renewed, and the other run be rescued."""
    gate = tmp_path / "gate"
    with pool() as parent:
        busy_workers(ledger, gate)
        later = timezone.now() + timedelta(seconds=6)  # of leases of 1.5 s
        held = Run.objects.filter(state="running", lease_expires_at__gt=later)
        wait_until(lambda: held.count() == 2, timeout=20, what="both leases are renewed")
        gate.touch()
        wait_until(settled, timeout=20)
        assert parent.output.count("run.taken_away") == 0
    assert {entry.attempt for entry in Entry.objects.all()} == {2}
    assert len(executions(ledger)) == 2


def test_asked_twice_it_ends_at_once_and_the_entries_are_rescued(
    dispatcher: Spawned, ledger: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    with pool() as parent:
        horses = busy_workers(ledger, gate)
        parent.send(signal.SIGINT)
        wait_until(lambda: parent.output.count("warm shut down requested") == 2)

        # RQ ignores what comes within a second, because Ctrl-C may reach a worker twice.
        second = time.monotonic() + 1.2
        wait_until(lambda: time.monotonic() > second)
        parent.send(signal.SIGINT)
        assert parent.wait() == 0
    assert not any(process_exists(pid) for pid in horses)
    gate.touch()
    with manage("worker", "default"):
        wait_until(settled, timeout=30)


def test_killed_it_takes_workers_and_work_horses_along(
    dispatcher: Spawned, ledger: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    with pool() as parent:
        workers = pids()
        horses = busy_workers(ledger, gate)
        parent.send(signal.SIGKILL)
        family = [*workers.values(), *horses]
        wait_until(
            lambda: not any(process_exists(pid) for pid in family), what="they die with the parent"
        )
    gate.touch()
    with manage("worker", "default"):
        wait_until(settled, timeout=30)
    assert {entry.attempt for entry in Entry.objects.all()} == {3}, "each was rescued once"


def test_a_worker_that_dies_is_replaced_after_a_pause_that_grows() -> None:
    with pool() as parent:
        before = pids()
        victims = [before["w-1"]]
        for _ in range(2):
            os.kill(victims[-1], signal.SIGKILL)
            victims.append(wait_until(lambda: successor(victims), timeout=30))
        assert DIED.findall(parent.output) == ["1.0", "2.0"]
        assert process_exists(before["w-2"]), "the other one is left alone"
        parent.send(signal.SIGTERM)
        assert parent.wait() == 0


def test_asked_to_stop_while_a_worker_is_missing_it_starts_no_other() -> None:
    with pool() as parent:
        os.kill(pids()["w-1"], signal.SIGKILL)
        parent.wait_for_output("pool.worker_died")
        parent.send(signal.SIGTERM)
        assert parent.wait() == 0
    assert [worker.name for worker in heartbeats.list_workers()] == ["w-1"], "the killed one"


def test_with_burst_it_ends_when_the_queue_is_empty() -> None:
    ids = [queued_entries(1)[0] for _ in range(6)]
    with manage("worker", "default", "--processes", "3", "--burst") as parent:
        assert parent.wait(60) == 0
    assert Entry.objects.filter(pk__in=ids, status="succeeded").count() == 6


def test_without_redis_nobody_dies() -> None:
    with private_redis() as redis, redis_at(redis.url), pool(REDIS_URL=redis.url) as parent:
        before = pids()
        redis.kill()
        wait_until(lambda: len(pids("waiting")) == 2, timeout=40, what="both wait for Redis")
        redis.start()
        wait_until(lambda: pids() == before, timeout=40, what="the same ones work again")
        assert "pool.worker_died" not in parent.output
        queued_entries(1)
        wait_until(settled, timeout=20)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_the_parent_has_no_connection_and_no_thread() -> None:
    with pool() as parent:
        folder = Path(f"/proc/{parent.pid}/fd")
        sockets = [link for link in folder.iterdir() if "socket:" in str(link.readlink())]
        assert len(sockets) == 2, "the pair on which it hears signals"
        assert len(list(Path(f"/proc/{parent.pid}/task").iterdir())) == 1


def test_a_mistaken_signal_kills_no_parent() -> None:
    with pool() as parent:
        parent.send(signal.SIGUSR1)
        EntryFactory.create()
        queued_entries(1)
        wait_until(lambda: Entry.objects.filter(status="succeeded").exists(), timeout=20)
        assert parent.running
