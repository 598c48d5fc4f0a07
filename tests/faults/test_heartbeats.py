"""Which workers are alive, whatever becomes of Redis and of them."""

import os
import signal
from pathlib import Path

import pytest
from django.db import connection
from django.db.models.functions import Now

from retry import heartbeats, queue
from retry.heartbeats import WorkerView
from retry.models import WorkerHeartbeat
from tests.support.asking import queued_entries
from tests.support.processes import manage, redis_at
from tests.support.servers import Spawned, private_redis, process_exists, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

QUICK = {"REDRIVE_BEAT_SECONDS": "0.5"}


def known(pid: int) -> WorkerView | None:
    return next((worker for worker in heartbeats.list_workers() if worker.pid == pid), None)


def alive(pid: int) -> bool:
    """It has been heard of within the last second or two."""
    worker = known(pid)
    return worker is not None and worker.silence.total_seconds() < 2


def idle(worker: Spawned) -> bool:
    found = known(worker.pid)
    return found is not None and found.state == "idle"


def test_it_is_known_from_its_start_to_its_end_and_what_it_is_at(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with manage("worker", "default", "--name", "w1", **QUICK) as worker:
        wait_until(lambda: idle(worker), timeout=30)
        queued_entries(1, kind="patient", wait_for=str(gate))

        def busy() -> WorkerView | None:
            found = known(worker.pid)
            return found if found is not None and found.state == "busy" else None

        at = wait_until(busy, timeout=15)
        assert at is not None
        assert (at.name, at.queue) == ("w1", "default")
        assert at.run_id is not None
        assert at.job_id.startswith("entry-")
        assert at.busy_since is not None
        gate.touch()
        wait_until(lambda: idle(worker), timeout=15)
        worker.send(signal.SIGTERM)
        assert worker.wait() == 0
    assert heartbeats.list_workers() == []


def test_flushall_and_a_redis_that_goes_and_comes_back_change_nothing() -> None:
    with private_redis() as redis, redis_at(redis.url):
        changes = {"REDIS_URL": redis.url, **QUICK}
        with manage("worker", "bulk", **changes) as worker:
            wait_until(lambda: idle(worker), timeout=30)
            queue.get_client().flushall()
            WorkerHeartbeat.objects.update(beat_at=Now() - heartbeats.SILENCE * 2)
            wait_until(lambda: alive(worker.pid), timeout=15, what="it beats on")
            redis.kill()

            def waits() -> bool:
                found = known(worker.pid)
                return found is not None and found.state == "waiting"

            wait_until(waits, timeout=30, what="it says that it waits for Redis")
            redis.start()
            wait_until(lambda: idle(worker), timeout=30)
            assert WorkerHeartbeat.objects.count() == 1, "it is the same one all the time"


def test_one_that_is_stopped_is_silent_and_one_that_is_killed_is_gone() -> None:
    with (
        manage("dispatcher"),
        manage("worker", "bulk") as stopped,
        manage("worker", "sync") as gone,
    ):
        wait_until(lambda: idle(stopped) and idle(gone), timeout=40)
        stopped.send(signal.SIGSTOP)
        gone.kill()
        assert not process_exists(gone.pid)
        wait_until(lambda: known(gone.pid) is None, timeout=20, what="the killed one is gone")

        def silent() -> bool:
            found = known(stopped.pid)
            assert found is not None
            return found.silent

        wait_until(silent, timeout=20)
        stopped.send(signal.SIGCONT)
        wait_until(lambda: not silent(), timeout=20)


def test_between_two_short_jobs_it_is_busy() -> None:
    for number in range(60):  # in turn, so that each is a job of its own
        queued_entries(1, kind=("scripted", "patient")[number % 2])
    states: list[str] = []
    with manage("worker", "default", **QUICK) as worker:

        def done() -> bool:
            waiting, found = queue.count_jobs(["default"])["default"], known(worker.pid)
            if found is not None and waiting and (states or found.state == "busy"):
                states.append(found.state)
            return not waiting

        wait_until(done, timeout=60)
        assert set(states) == {"busy"}
        wait_until(lambda: idle(worker), timeout=15)


def test_short_jobs_do_not_pay_for_it() -> None:
    """Nor is a connection shared with the work-horses."""
    with manage("worker", "default") as worker:
        wait_until(lambda: idle(worker), timeout=30)
        first, before = WorkerHeartbeat.objects.get().beat_at, updates()
        for _ in range(10):
            queued_entries(1)
        wait_until(lambda: queue.count_jobs(["default"]) == {"default": 0}, timeout=30)
        with connection.cursor() as cursor:
            cursor.execute("SELECT extract(epoch FROM clock_timestamp() - %s)", [first])
            (seconds,) = cursor.fetchone()
        assert updates() - before <= float(seconds) / 5 + 2


def updates() -> int:
    """Of all beats so far, those of other tests included."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'retry_workerheartbeat'"
        )
        return int(cursor.fetchone()[0])


def test_one_elsewhere_is_forgotten_after_a_while() -> None:
    fixed = {"queue": "bulk", "pid": os.getpid(), "started_at": Now(), "state": "idle"}
    for name, host, ago in (
        ("old", "elsewhere", 200),
        ("quiet", "elsewhere", 60),
        ("here", os.uname().nodename, 200),
    ):
        row = WorkerHeartbeat.objects.create(name=name, host=host, beat_at=Now(), **fixed)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE retry_workerheartbeat SET beat_at = now() - make_interval(secs => %s)"
                " WHERE id = %s",
                [ago, row.pk],
            )
    assert heartbeats.prune() == 1
    assert [worker.name for worker in heartbeats.list_workers()] == ["here", "quiet"]
