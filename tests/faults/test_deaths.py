"""Real workers and dispatchers, killed and stopped at the worst moment."""

import os
import signal
from pathlib import Path

import pytest

from entries.models import Entry
from retry import queue
from retry.models import Run
from retry.service import retry_entries
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT, queued_entries
from tests.support.ledger import executions
from tests.support.processes import child_environment, manage, redis_at
from tests.support.servers import Spawned, private_redis, process_exists, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def settled(id_: int, status: str = "succeeded") -> bool:
    return Entry.objects.get(pk=id_).status == status


def test_a_worker_killed_in_the_middle_of_an_entry_loses_nothing(
    dispatcher: Spawned, worker: Spawned, ledger: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    (id_,) = queued_entries(kind="patient", ledger=str(ledger), wait_for=str(gate))
    wait_until(lambda: executions(ledger))
    horse = executions(ledger)[0][2]
    worker.send(signal.SIGKILL)
    wait_until(lambda: not process_exists(horse), what="the horse dies with its worker")
    gate.touch()
    with manage("worker", "default"):
        wait_until(lambda: settled(id_), timeout=20)
    assert [run[:2] for run in executions(ledger)] == [[id_, 2], [id_, 3]]
    entry = Entry.objects.get()
    assert list(entry.attempts.order_by("number").values_list("status", flat=True)) == [
        "failed",
        "lost",
        "succeeded",
    ]


def test_a_horse_that_kills_itself_each_time_is_given_up_and_takes_nobody_along(
    dispatcher: Spawned, worker: Spawned
) -> None:
    poison = EntryFactory.create(failed=True, kind="scripted", payload={"do": "die"})
    others = EntryFactory.create_batch(3, failed=True, kind="scripted", payload={})
    retry_entries([poison.id, *(other.id for other in others)], actor=SCRIPT)
    wait_until(lambda: settled(poison.id, "failed"), timeout=40)
    wait_until(lambda: all(settled(other.id) for other in others), timeout=10)
    poison.refresh_from_db()
    assert poison.error_class == "WorkerLost"
    assert {e.attempt for e in Entry.objects.exclude(pk=poison.id)} == {2}


def test_the_late_outcome_of_a_stopped_and_continued_worker_is_rejected(
    dispatcher: Spawned, worker: Spawned, ledger: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    (id_,) = queued_entries(kind="patient", ledger=str(ledger), wait_for=str(gate))
    wait_until(lambda: executions(ledger))
    horse = executions(ledger)[0][2]
    for pid in (worker.pid, horse):
        os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: Entry.objects.get().attempt == 3, timeout=10, what="the rescue")
    gate.touch()
    with manage("worker", "default") as second:
        wait_until(lambda: settled(id_), timeout=20)
        result = Entry.objects.get().result
        for pid in (worker.pid, horse):
            os.kill(pid, signal.SIGCONT)
        worker.wait_for_output("entry.outcome_rejected")
        assert second.running
    entry = Entry.objects.get()
    assert (entry.status, entry.result, entry.attempt) == ("succeeded", result, 3)
    assert entry.attempts.get(number=2).status == "lost"


def test_redis_killed_and_back_empty_delays_and_nothing_else(ledger: Path) -> None:
    with private_redis() as redis, redis_at(redis.url):
        changes = {"REDIS_URL": redis.url}
        with manage("dispatcher", **changes), manage("worker", "default", **changes) as worker:
            worker.wait_for_output("Listening on")
            redis.kill()
            entry = EntryFactory.create(
                failed=True, kind="scripted", payload={"ledger": str(ledger)}
            )
            outcome = retry_entries([entry.id], actor=SCRIPT)
            assert (outcome.queued, outcome.dispatched) == (1, False)
            redis.start()
            wait_until(lambda: settled(entry.id), timeout=10)
            assert worker.running, "the worker outlives Redis"
    assert [run[:2] for run in executions(ledger)] == [[entry.id, 2]]


def test_a_dispatcher_killed_before_the_hand_over_is_no_loss(tmp_path: Path) -> None:
    with redis_at(f"unix://{tmp_path}/nobody.sock?db=0"):
        ids = queued_entries(3)
    with manage("dispatcher") as first:
        first.wait_for_output("dispatcher.started")
        first.send(signal.SIGKILL)
        first.wait()
    with manage("dispatcher"), manage("worker", "default"):
        wait_until(lambda: all(settled(id_) for id_ in ids), timeout=20)
    assert {e.attempt for e in Entry.objects.all()} == {2}


def test_a_worker_asked_to_stop_finishes_the_entry_at_hand_and_hands_on_the_rest(
    worker: Spawned, ledger: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    payload = {"ledger": str(ledger), "wait_for": str(gate)}
    ids = [EntryFactory.create(failed=True, kind="patient", payload=payload).id for _ in range(3)]
    retry_entries(ids, actor=SCRIPT)
    wait_until(lambda: executions(ledger))
    worker.send(signal.SIGTERM)
    worker.wait_for_output("warm shut down requested")
    gate.touch()
    assert worker.wait() == 0
    assert [e.status for e in Entry.objects.order_by("id")] == ["succeeded", "queued", "queued"]
    with manage("worker", "default", "--burst") as second:
        assert second.wait() == 0
    assert [run[:2] for run in executions(ledger)] == [[id_, 2] for id_ in ids]


def test_a_forged_job_is_not_executed(worker: Spawned, tmp_path: Path) -> None:
    import zlib

    from rq import Queue

    target = tmp_path / "forged"
    forged = Queue("redrive-default", connection=queue.get_client(), serializer="json")
    forged.enqueue("os.system", f"touch {target}", job_id="forged-1")
    forged.enqueue("retry.jobs.execute_run", "x", job_id="forged-2")
    queue.get_client().hset(
        "rq:job:forged-2",
        mapping={"failure_callback_name": "os.abort", "data": zlib.compress(b"[")},
    )
    wait_until(lambda: queue.count_jobs(["default"]) == {"default": 0})
    (id_,) = queued_entries()
    wait_until(lambda: settled(id_), timeout=20, what="an honest job after the forged ones")
    assert not target.exists()


def test_a_worker_without_redis_waits_for_it() -> None:
    with private_redis() as redis:
        redis.stop()
        environment = child_environment(REDIS_URL=redis.url)
        with manage("worker", "default", **environment) as worker:
            worker.wait_for_output("worker.no_redis")
            redis.start()
            worker.wait_for_output("Listening on", timeout=10)
            worker.send(signal.SIGTERM)
            assert worker.wait() == 0
    assert not Run.objects.exists()
