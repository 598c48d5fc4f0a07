"""What waits in great number costs a tick no more than what can be done about it."""

from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from django.utils import timezone

from retry import queue
from retry.dispatcher import losses as looking
from retry.dispatcher import snapshot
from retry.dispatcher.attention import find_due_holds
from retry.dispatcher.hold_sweep import Sweep
from retry.dispatcher.loop import Dispatcher, Tick
from retry.dispatcher.losses import Losses
from retry.dispatcher.repair import hand_over_again
from retry.dispatcher.snapshot import WorkId
from retry.errors import QueueUnavailable
from retry.holds import control as holds
from retry.models import Hold, Operation, Run
from retry.runs.backlog import BY_AGE, find_startable_runs, find_undispatched_runs
from retry.runs.detachment import clear_moved_upstreams
from retry.runs.ramp import Lift, Ramp
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.asking import SCRIPT, queued_entries
from tests.support.holds import tripped
from tests.support.many_runs import add_queued
from tests.support.plans import analyze, counting_rows
from tests.support.processes import redis_at
from tests.support.servers import wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("short_ticks"),
]

MANY, FEW = 3_000, 300


def hand_over(runs: list[Run]) -> None:
    """As if each had a job that waits in Redis."""
    Run.objects.filter(pk__in=[run.pk for run in runs]).update(
        dispatches=1, dispatched_at=timezone.now()
    )
    queue.get_client().rpush("rq:queue:redrive-bulk", *(run.job_id for run in runs))
    analyze()


# --- what is on hold -----------------------------------------------------------------------------


def test_what_is_on_hold_is_not_read() -> None:
    add_queued(MANY, kind="page")
    others = add_queued(3, kind="grouped")
    holds.hold_kind("page", actor=SCRIPT)
    analyze()
    with counting_rows() as read:
        found = find_undispatched_runs(limit=500)
    assert [run.pk for run in found] == [run.pk for run in others]
    assert sum(read) < FEW


def test_of_what_may_begin_only_the_oldest_is_read() -> None:
    waiting = add_queued(MANY)
    with counting_rows() as read:
        found = find_undispatched_runs(limit=5)
    assert [run.pk for run in found] == [run.pk for run in waiting[:5]]
    assert sum(read) < FEW


@pytest.mark.parametrize("seed", range(5))
def test_what_may_begin_is_found_as_the_condition_says(seed: int) -> None:
    random = Random(seed)
    sources = [None, *SourceFactory.create_batch(2)]
    operations = [
        None,
        *(Operation.objects.create(action="retry", state=state) for state in ("running", "paused")),
    ]
    for _ in range(40):
        add_queued(
            random.choice((1, 2, 5)),
            kind=random.choice(("page", "grouped")),
            upstream=random.choice(("", "a", "b")),
            source=random.choice(sources),
            operation=random.choice(operations),
            probe=random.random() < 0.1,
            dispatched_at=timezone.now() if random.random() < 0.1 else None,
        )
    Hold.objects.create(kind="page", upstream="a", automatic=True)
    Hold.objects.create(source=sources[1])
    waiting = find_startable_runs().filter(dispatched_at=None).order_by(*BY_AGE)
    for limit in (5, 500):
        assert find_undispatched_runs(limit=limit) == list(waiting[:limit])
    lifted = timezone.now() - timedelta(seconds=2)
    ramp = Ramp({("grouped", "b"): Lift(0, lifted, room=2.0), ("page", ""): Lift(0, lifted, 3.0)})
    covered = ramp.condition("created_at")
    ramped = waiting.filter(covered)
    expected = min(2, ramped.filter(kind="grouped").count())
    expected += min(3, ramped.filter(kind="page").count())
    assert 0 < expected < waiting.count()
    found = find_undispatched_runs(limit=500, ramp=ramp)
    assert [run for run in found if run not in ramped] == list(waiting.exclude(covered))
    assert sum(run in ramped for run in found) == expected


def test_whether_an_upstream_has_work_is_known_without_a_look_at_all() -> None:
    add_queued(MANY, upstream="a.example", kind="page")
    add_queued(MANY, kind="grouped")
    hold = tripped("page", "a.example")
    analyze()
    with counting_rows() as read:
        assert list(find_due_holds()) == [hold]
    assert sum(read) < FEW


def test_moved_entries_are_looked_for_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retry.runs.detachment._RUNS", 10)
    monkeypatch.setattr("retry.dispatcher.hold_sweep._LOOK_SECONDS", 0.0)
    add_queued(25, upstream="a.example", kind="page")
    last = max(Run.objects.values_list("pk", flat=True), key=lambda pk: pk.bytes)
    entry = EntryFactory.create(queued=True, run_id=last, kind="page", upstream="b.example")
    Run.objects.filter(pk=last).update(entry_ids=[entry.pk])
    sweep = Sweep()
    for moved in (False, False, True, True):
        sweep.step()
        assert Run.objects.filter(upstream="").exists() == moved


def test_of_moved_entries_a_part_is_read() -> None:
    add_queued(MANY, upstream="a.example", kind="page")
    with counting_rows() as read:
        clear_moved_upstreams()
    assert sum(read) < MANY


# --- what Redis has lost -------------------------------------------------------------------------


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick has time for one part."""
    monkeypatch.setattr(snapshot, "PART", 10)
    monkeypatch.setattr(queue, "_PART", 10)
    monkeypatch.setattr(looking, "LOOK_SECONDS", 0.0)


@pytest.mark.usefixtures("small_parts")
def test_a_look_at_much_takes_many_ticks() -> None:
    hand_over(add_queued(MANY))
    losses = Losses()
    for _ in range(20):
        with counting_rows() as read:
            assert not losses.find(limit=500)
        assert sum(read) < FEW


@pytest.mark.usefixtures("small_parts")
def test_what_is_lost_is_found_among_much_that_is_not() -> None:
    runs = add_queued(95)
    hand_over(runs)
    lost = [runs[number] for number in (0, 7, 50, 94)]
    for run in lost:
        queue.get_client().lrem("rq:queue:redrive-bulk", 1, run.job_id)
    losses, found = Losses(), dict[WorkId, str]()

    def has_found() -> bool:
        found.update(losses.find(limit=3))
        return len(found) >= len(lost)

    wait_until(has_found)
    assert found == {run.pk: run.job_id for run in lost}


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("count", [0, 9, 10, 11, 35])
def test_all_jobs_of_a_list_are_seen_in_parts(count: int) -> None:
    names = {f"job-{number}" for number in range(count)}
    for name in names:
        queue.get_client().rpush("rq:queue:redrive-bulk", name)
    queue.get_client().rpush("rq:queue:redrive-default", "click")
    queue.get_client().rpush("rq:queue:redrive-bulk:intermediate", "taken")
    views = list(queue.observe_in_parts(["default", "bulk"]))
    assert len(views) == 1 + count // 10
    assert (views[-1].waiting, views[-1].taken) == ({*names, "click"}, {"taken"})


@pytest.mark.usefixtures("small_parts")
def test_an_emptied_redis_gets_everything_again_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retry.dispatcher.loop._BATCH", 5)
    count = 45
    for _ in range(count):
        queued_entries()
    queue.get_client().flushdb()
    dispatcher = Dispatcher()
    ticks: list[Tick] = []

    def is_done() -> bool:
        ticks.append(dispatcher.tick())
        return sum(tick.handed_over_again for tick in ticks) >= count

    wait_until(is_done)
    ticks += [dispatcher.tick() for _ in range(10)]
    assert sum(tick.handed_over_again for tick in ticks) == count
    assert max(tick.handed_over_again for tick in ticks) == 5
    assert all(tick.has_more for tick in ticks if tick.handed_over_again == 5)
    assert set(Run.objects.values_list("dispatches", flat=True)) == {2}


@pytest.mark.usefixtures("small_parts")
def test_what_got_another_job_since_it_was_missed_is_left_alone() -> None:
    (run,) = add_queued(1)
    hand_over([run])
    queue.get_client().flushdb()
    losses = Losses()
    missing: dict[WorkId, str] = {}

    def is_missing() -> bool:
        missing.update(losses.find(limit=500))
        return bool(missing)

    wait_until(is_missing)
    Run.objects.filter(pk=run.pk).update(dispatches=2)
    assert hand_over_again({run.pk: run.job_id}) == 0
    assert hand_over_again({run.pk: f"{run.job_id}-1"}) == 1


@pytest.mark.usefixtures("small_parts")
def test_a_look_ends_where_redis_does_not_answer(tmp_path: Path) -> None:
    hand_over(add_queued(35))
    queue.get_client().flushdb()
    losses = Losses()
    assert not losses.find(limit=500)
    assert losses._look is not None
    with redis_at(f"unix://{tmp_path}/nobody.sock?db=0"), pytest.raises(QueueUnavailable):
        losses.find(limit=500)
    assert losses._look is None
