"""Entries of a run side by side: how many at once, and what holds for each of them."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.db import connection

from entries.models import Attempt, Entry
from retry.dispatcher.loop import Dispatcher
from retry.models import Run
from retry.operations import control
from retry.operations.progress import read_progress
from retry.worker import execution
from retry.worker.activity import Activity
from retry.worker.patience import shutdown
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT, queued_entries
from tests.support.ledger import executions
from tests.support.operations import start
from tests.support.servers import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_shutdown")]


def run_of(entry_id: int) -> UUID:
    run_id = Entry.objects.values_list("run_id", flat=True).get(pk=entry_id)
    assert run_id is not None
    return run_id


def statuses() -> Counter[str]:
    return Counter(Entry.objects.values_list("status", flat=True))


def execute(run_id: UUID, *, linger: float = 0.0, activity: Activity | None = None) -> bool:
    name = f"test:{uuid4().hex[:8]}"
    return execution.execute(run_id, worker=name, linger=linger, activity=activity)


@contextmanager
def executing(run_id: UUID, **options: object) -> Iterator[None]:
    """A run is executed by another thread; it has ended when the block is left."""

    def work() -> None:
        try:
            assert execute(run_id, **options)  # type: ignore[arg-type]
        except BaseException as error:  # noqa: BLE001 - shown by the test
            failures.append(error)
        finally:
            connection.close()

    failures: list[BaseException] = []
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join(30)
    assert not failures
    assert not thread.is_alive()


def begun(ledger: Path) -> int:
    return len(executions(ledger))


def stays(value: Callable[[], int], expected: int) -> bool:
    """Whether something is still so after several looks of the worker."""
    until = time.monotonic() + 0.6
    while time.monotonic() < until:
        if value() != expected:
            return False
        threading.Event().wait(0.05)
    return True


def test_as_many_are_under_way_as_the_kind_allows(ledger: Path, gate: Path) -> None:
    ids = queued_entries(40, kind="patient_side_by_side", ledger=str(ledger), wait_for=str(gate))
    with executing(run_of(ids[0])):
        wait_until(lambda: begun(ledger) == 32)
        assert stays(lambda: begun(ledger), 32)
        assert statuses() == {"running": 32, "queued": 8}, "what has not begun is not claimed"
        gate.touch()
    assert statuses() == {"succeeded": 40}
    assert Counter(run[0] for run in executions(ledger)) == dict.fromkeys(ids, 1)
    run = Run.objects.get()
    assert (run.state, run.succeeded, run.handed_on) == ("finished", 40, 0)


def test_a_slow_upstream_is_asked_by_no_more_than_its_limit_and_stops_no_other(
    ledger: Path, gate: Path
) -> None:
    quick = ledger.with_name("quick")
    slow = {"to": "slow", "ledger": str(ledger), "wait_for": str(gate)}
    for _ in range(20):
        EntryFactory.create_batch(2, failed=True, kind="patient_side_by_side", payload=slow)
        EntryFactory.create_batch(
            2,
            failed=True,
            kind="patient_side_by_side",
            payload={"to": "quick", "ledger": str(quick)},
        )
    start()
    Dispatcher().tick()
    with executing(Run.objects.get().pk, linger=5.0):
        wait_until(lambda: statuses()["succeeded"] == 40)
        assert begun(ledger) == 4
        gate.touch()
    assert statuses() == {"succeeded": 80}
    assert begun(ledger) == 40


def test_runs_behind_are_claimed_while_one_waits_for_its_upstream(ledger: Path, gate: Path) -> None:
    slow = {"to": "slow", "ledger": str(ledger), "wait_for": str(gate)}
    EntryFactory.create_batch(100, failed=True, kind="patient_side_by_side", payload=slow)
    EntryFactory.create_batch(
        100, failed=True, kind="patient_side_by_side", payload={"to": "quick"}
    )
    operation = start()
    Dispatcher().tick()
    assert Run.objects.count() == 2
    activity = Activity()
    with executing(Run.objects.order_by("position")[0].pk, linger=5.0, activity=activity):
        wait_until(lambda: statuses()["succeeded"] == 100)
        assert begun(ledger) == 4
        wait_until(lambda: len(activity.look().run_ids) == 1, timeout=5)
        gate.touch()
    assert statuses() == {"succeeded": 200}
    assert read_progress(operation.pk).succeeded == 200


def test_pausing_begins_nothing_more_and_resuming_does_the_rest(ledger: Path, gate: Path) -> None:
    payload = {"ledger": str(ledger), "wait_for": str(gate)}
    EntryFactory.create_batch(90, failed=True, kind="patient_side_by_side", payload=payload)
    operation = start()
    dispatcher = Dispatcher()
    dispatcher.tick()
    with executing(Run.objects.get().pk):
        wait_until(lambda: begun(ledger) == 32)
        control.pause(operation.pk, actor=SCRIPT)
        assert stays(lambda: begun(ledger), 32)
        gate.touch()
    assert begun(ledger) == 32
    assert statuses() == {"succeeded": 32, "queued": 58}
    control.resume(operation.pk, actor=SCRIPT)
    dispatcher.tick()
    execute(Run.objects.get(state="queued").pk)
    assert statuses() == {"succeeded": 90}
    assert begun(ledger) == 90


def test_a_shutdown_finishes_what_has_begun_and_hands_on_the_rest(ledger: Path, gate: Path) -> None:
    ids = queued_entries(90, kind="patient_side_by_side", ledger=str(ledger), wait_for=str(gate))
    with executing(run_of(ids[0])):
        wait_until(lambda: begun(ledger) == 32)
        shutdown.set()
        assert stays(lambda: begun(ledger), 32)
        gate.touch()
    assert statuses() == {"succeeded": 32, "queued": 58}
    found = Run.objects.order_by("size").values_list("state", "size", "succeeded", "handed_on")
    assert list(found) == [("queued", 58, 0, 0), ("finished", 90, 32, 58)]


@pytest.mark.parametrize("do", ["hang", "swallow"])
def test_one_that_takes_too_long_fails_by_its_limit_and_alone(ledger: Path, do: str) -> None:
    """Among others that are under way, whether it lets itself be interrupted or not."""
    payload = {"ledger": str(ledger)}
    good = EntryFactory.create_batch(16, failed=True, kind="side_by_side", payload=payload)
    stuck = EntryFactory.create(failed=True, kind="side_by_side", payload=payload | {"do": do})
    good += EntryFactory.create_batch(40, failed=True, kind="side_by_side", payload=payload)
    start()
    Dispatcher().tick()
    execute(Run.objects.get().pk)
    stuck.refresh_from_db()
    assert (stuck.status, stuck.error_class) == ("failed", "TimeLimitExceeded")
    assert stuck.error_message == "took longer than 1 s"
    assert "in act" in stuck.attempts.get(number=stuck.attempt).traceback
    times = Counter(run[0] for run in executions(ledger))
    assert times == dict.fromkeys([stuck.pk, *(entry.pk for entry in good)], 1)
    assert statuses() == {"failed": 1, "succeeded": 56}


def test_they_share_few_connections_and_none_sees_what_another_left(ledger: Path) -> None:
    good = queued_entries(60, kind="side_by_side", do="query", nap=0.02)
    actions = ["begin", "set", "hurry", "lock", "table", "atomic", "manual", "close_all", "write"]
    bad = {
        EntryFactory.create(failed=True, kind="side_by_side", payload={"do": do}).pk: do
        for do in actions
    }
    start()
    Dispatcher().tick()
    peak = 0
    own = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    with executing(run_of(good[0])):
        while statuses()["succeeded"] < 60:
            with connection.cursor() as cursor:
                cursor.execute(own)
                peak = max(peak, cursor.fetchone()[0])
    assert peak <= 8 + 3, "the pool, the worker, this test, and one that is just closing"
    execute(run_of(next(iter(bad))))
    found = dict(Entry.objects.filter(pk__in=bad).values_list("payload__do", "error_class"))
    assert found.pop("close_all") == ""
    assert set(found.values()) == {"UncleanConnection"}
    assert Attempt.objects.exists()


def test_a_connection_that_a_kind_closes_itself_is_lent_to_nobody_else() -> None:
    """Whatever it has left there: nobody has looked."""
    for _ in range(5):
        EntryFactory.create(failed=True, kind="side_by_side", payload={"do": "set_and_close"})
        EntryFactory.create(failed=True, kind="side_by_side", payload={"do": "limits"})
    start()
    Dispatcher().tick()
    execute(Run.objects.get().pk)
    assert statuses() == {"succeeded": 10}
    limits = Entry.objects.filter(payload__do="limits").values_list("result__limit", flat=True)
    assert "7s" not in set(limits)


def test_what_raises_anything_costs_itself() -> None:
    for do in ("interrupt", "cancel", "close", "own", "exit", "fail"):
        EntryFactory.create(failed=True, kind="side_by_side", payload={"do": do})
    EntryFactory.create_batch(20, failed=True, kind="side_by_side", payload={})
    start()
    Dispatcher().tick()
    execute(Run.objects.get().pk)
    assert statuses() == {"failed": 6, "succeeded": 20}


def test_a_run_that_was_taken_away_records_nothing_and_its_neighbours_do(
    ledger: Path, gate: Path
) -> None:
    slow = {"to": "slow", "ledger": str(ledger), "wait_for": str(gate)}
    EntryFactory.create_batch(100, failed=True, kind="patient_side_by_side", payload=slow)
    EntryFactory.create_batch(10, failed=True, kind="patient_side_by_side", payload={"to": "quick"})
    start()
    Dispatcher().tick()
    first, second = Run.objects.order_by("position")
    activity = Activity()
    with executing(first.pk, linger=5.0, activity=activity):
        wait_until(lambda: statuses()["succeeded"] == 10)
        Run.objects.filter(pk=first.pk).update(worker="another")
        activity.lose(first.pk)
        gate.touch()
    assert begun(ledger) == 4
    second.refresh_from_db()
    assert second.state == "finished"
    assert Run.objects.get(pk=first.pk).state == "running", "its new worker ends it"
