"""The dispatcher with a thousand workers: pace, verbs, limits, fairness, rescue, dead upstreams.

The dispatcher is the real one, in a process of its own. ``bench.crowd`` simulates the workers.
"""

import os
import statistics
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from django.db.models.functions import Now
from django.test.utils import override_settings

from bench import chart
from bench.crowd import Crowd, Work
from bench.crowd_stage import (
    ACTOR,
    Scene,
    count_failed,
    count_starts,
    describe_delay,
    describe_ticks,
    empty,
    make_entries,
    play,
    run_dispatcher,
    start,
)
from bench.load import Load, watch_load
from bench.report import Report
from retry import service
from retry.models import Hold, Operation, OperationState, Run, RunState
from retry.operations import control

WORKERS, VANISHED = 1000, 300
RATE = 10.0
#: How long an entry takes, and the lease and the heartbeat of a worker: longer than usual, because
#: one process plays all of them. What they cost is counted for each entry, renewal and heartbeat.
SLOW, QUICK = 60.0, 8.0
LEASE_SECONDS, BEAT_SECONDS = 60.0, 25.0
UPSTREAMS, DEAD = 100, 10
#: How long a scene is watched.
SECONDS = 40.0
CHART = Path(__file__).parent.parent / "docs" / "performance" / "thousand-workers.svg"


def main(*, draw: bool = False) -> Report:
    rows: list[tuple[str, str, str]] = []
    slower = override_settings(
        REDRIVE_LEASE_SECONDS=LEASE_SECONDS, REDRIVE_BEAT_SECONDS=BEAT_SECONDS
    )
    with slower, run_dispatcher() as ticks:
        for play_scene in (play_pace, play_verbs, play_shares, play_limit, play_canary, play_dead):
            empty()
            scene = Scene(play_scene.__name__.removeprefix("play_"), rows, began=time.time())
            play_scene(scene)
            scene.add("ticks", describe_ticks(ticks.read(scene.began)))
            scene.add("load of the machine", f"{os.getloadavg()[0]:.1f}")
    if draw:
        CHART.write_text(chart.draw_pace(RATE, SEEN[: int(SECONDS)]))
    return Report(
        f"The dispatcher with {WORKERS:,} workers",
        ["scene", "", "seen"],
        [list(row) for row in rows],
        [
            (
                "The workers are simulated by one process on the same machine: they claim, renew, "
                "record and give signs of life by the workers' own functions; their work is a wait."
            ),
        ],
    )


#: Entries queued in each second of the scene of the pace, for the picture.
SEEN: list[int] = []


def play_pace(scene: Scene) -> None:
    """One operation with a pace, all workers busy with another."""
    others, ids = make_entries(2 * WORKERS), make_entries(int(RATE * SECONDS) + 500, label="paced-")
    with Crowd(Work(SLOW), sizes={"bulk": WORKERS}) as crowd:
        start(others)
        play(90, until=lambda: crowd.busy >= WORKERS)
        scene.add("busy workers at the start", f"{crowd.busy:,}")
        said, began = crowd.statements.copy(), time.time()
        operation = start(ids, rate_per_second=RATE)
        with watch_load() as load:
            play(SECONDS + 2)
        done = sum(1 for at, *_ in crowd.ends if at >= began)
        spent = {what: crowd.statements[what] - said[what] for what in crowd.statements}
        by_second = count_starts(operation)
        SEEN[:] = [by_second.get(second, 0) for second in range(int(SECONDS))]
        scene.add("pace asked, seen", f"{RATE:g}, {statistics.mean(SEEN):.1f} entries/s")
        scene.add("best and worst second", f"{max(SEEN)}, {min(SEEN)}")
        scene.add("best and worst five seconds", _describe_window(SEEN, 5))
        _add_load(scene, load, spent, done=done)
        scene.add("the simulation's own delay", describe_delay(crowd.delays))


def _describe_window(seen: Sequence[int], length: int) -> str:
    sums = [sum(seen[at : at + length]) / length for at in range(len(seen) - length + 1)]
    return f"{max(sums):.0f} and {min(sums):.0f} entries/s"


def _add_load(scene: Scene, load: Load, spent: dict[str, int], *, done: int) -> None:
    for what, statements in spent.items():
        scene.add(f"statements a second: {what}", f"{load.per_second(statements):,.0f}")
    if done:
        scene.add("statements for an entry", f"{spent['work'] / done:.1f}")
    scene.add("transactions a second", f"{load.per_second(load.transactions):,.0f}")
    scene.add("sessions begun a second", f"{load.per_second(load.sessions):,.0f}")
    scene.add(
        "rows of runs a second",
        f"{load.per_second(load.updates):,.0f} changed, {load.per_second(load.hot_updates):,.0f} "
        f"of them HOT, {load.per_second(load.rows_read):,.0f} read",
    )
    scene.add("processors used by PostgreSQL", f"{load.cores:.2f}")


def play_verbs(scene: Scene) -> None:
    """Pause, hold and cancel while workers take entries one after another."""
    ids = make_entries(4000)
    with Crowd(Work(QUICK), sizes={"bulk": WORKERS}, with_beats=False) as crowd:
        operation = start(ids, rate_per_second=2 * RATE)
        play(QUICK)
        control.pause(operation.pk, actor=ACTOR)
        _add_lateness(scene, "pause", crowd)
        control.resume(operation.pk, actor=ACTOR)
        play(QUICK)
        hold = service.hold_kind("slow", actor=ACTOR)
        _add_lateness(scene, "hold", crowd)
        service.lift_hold(hold.pk, actor=ACTOR)
        play(QUICK)
        control.cancel(operation.pk, actor=ACTOR)
        _add_lateness(scene, "cancel", crowd)
        took = play(30, until=lambda: _has_ended(operation))
        scene.add("cancel: operation ended after another", f"{took:.1f} s")


def _add_lateness(scene: Scene, verb: str, crowd: Crowd) -> None:
    at = time.time()
    play(0.7 * QUICK)
    late = [begin.at - at for begin in list(crowd.begins) if begin.at > at]
    last = f", the last {max(late) * 1000:.0f} ms after" if late else ""
    scene.add(f"{verb}: entries begun after it returned", f"{len(late)}{last}")


def _has_ended(operation: Operation) -> bool:
    return Operation.objects.get(pk=operation.pk).ended_at is not None


def play_shares(scene: Scene) -> None:
    """A large operation without a pace, nine with one, a click a second; then workers vanish."""
    large = make_entries(4000, label="large-")
    small = [make_entries(100, label=f"small-{number}-") for number in range(9)]
    clicked = make_entries(40, label="click-")
    with Crowd(Work(SLOW), sizes={"bulk": WORKERS - 50, "default": 50}, with_beats=False) as crowd:
        first = start(large)
        others = [start(ids, rate_per_second=2.0) for ids in small]
        waits = _click(clicked[:20], crowd)
        begun = [count_starts(operation) for operation in others]
        lateness = [_measure_start(operation, first) for operation in others]
        scene.add("nine of 2 entries/s: first entry after the large one's", _describe(lateness))
        rates = [sum(n for second, n in found.items() if second < 15) / 15 for found in begun]
        scene.add("nine of 2 entries/s: seen", _describe(rates, unit="entries/s"))
        scene.add("large one: queued after", f"{max(count_starts(first), default=0)} s")
        scene.add("clicks: from the call to the begin", _describe(waits))
        play(90, until=lambda: crowd.busy >= WORKERS - 50)
        _add_rescue(scene, crowd)
        waits = _click(clicked[20:30], crowd)
        scene.add("clicks after it", _describe(waits))


def _describe(values: Sequence[float], unit: str = "s") -> str:
    if not values:
        return "none"
    return f"{min(values):.2f} to {max(values):.2f}, median {statistics.median(values):.2f} {unit}"


def _measure_start(operation: Operation, first: Operation) -> float:
    def read(one: Operation) -> float:
        at = Run.objects.filter(operation=one, dispatched_at__isnull=False).order_by("position")[0]
        assert at.dispatched_at is not None
        return at.dispatched_at.timestamp()

    return read(operation) - read(first)


def _has_begun(crowd: Crowd, id_: int, known: int) -> bool:
    return any(begin.entry_id == id_ for begin in crowd.begins[known:])


def _click(ids: Sequence[int], crowd: Crowd) -> list[float]:
    waits = []
    for id_ in ids:
        at, known = time.time(), len(crowd.begins)
        service.retry_entries([id_], actor=ACTOR)
        took = play(SLOW, until=partial(_has_begun, crowd, id_, known))
        begun = [b.at for b in crowd.begins[known:] if b.entry_id == id_]
        waits.append(begun[0] - at if begun else took)
        play(max(0.0, 1.0 - took))
    return waits


def _add_rescue(scene: Scene, crowd: Crowd) -> None:
    lost, at = crowd.vanish(VANISHED), time.time()
    Run.objects.filter(pk__in=lost).update(lease_expires_at=Now())  # all at one moment

    def is_over() -> bool:
        return not Run.objects.filter(pk__in=lost, state=RunState.RUNNING).exists()

    play(60, until=is_over)
    ended = Run.objects.filter(pk__in=lost).order_by("ended_at").values_list("ended_at", flat=True)
    times = [moment.timestamp() - at for moment in ended if moment is not None]
    scene.add(f"{len(lost)} workers vanish: their runs are rescued after", _describe(times))


def play_limit(scene: Scene) -> None:
    """Everything begins to fail under an operation with a failure limit."""
    ids = make_entries(2000)
    work = Work(QUICK)
    with Crowd(work, sizes={"bulk": WORKERS}, with_beats=False) as crowd:
        operation = start(ids, max_failure_rate=0.1)
        play(2 * QUICK)
        scene.add("busy workers before", f"{crowd.busy:,}")
        work.fails = lambda _: True
        at = time.time()
        took = play(60, until=lambda: _is_paused(operation))
        paused = time.time()
        play(1.2 * QUICK)
        late = [begin for begin in crowd.begins if begin.at > paused + 0.1]
        scene.add("paused after", f"{took:.1f} s")
        failed = count_failed(operation)
        scene.add("failed in all; begun after the pause", f"{failed}; {len(late)}")
        succeeded = sum(1 for end in crowd.ends if end[0] < at)
        scene.add("succeeded before", f"{succeeded:,} in {2 * QUICK:g} s")


def _is_paused(operation: Operation) -> bool:
    return Operation.objects.get(pk=operation.pk).state == OperationState.PAUSED


def play_canary(scene: Scene) -> None:
    """A canary that fails."""
    ids = make_entries(2000)
    with Crowd(Work(QUICK, lambda _: True), sizes={"bulk": WORKERS}, with_beats=False) as crowd:
        operation = start(ids, canary_size=100, max_failure_rate=0.1)
        took = play(60, until=lambda: _is_paused(operation))
        play(5)
        scene.add("paused after", f"{took:.1f} s")
        scene.add("tried, of 100", f"{len(crowd.begins)}")


def play_dead(scene: Scene) -> None:
    """A hundred upstreams, of which ten die."""
    ids = make_entries(4000, upstreams=UPSTREAMS)
    dead = {f"host-{number}" for number in range(DEAD)}
    work = Work(QUICK)
    with Crowd(work, sizes={"bulk": WORKERS}, with_beats=False) as crowd:
        start(ids, rate_per_second=3 * RATE)
        play(2 * QUICK)
        work.fails = lambda entry: entry.upstream in dead
        at = time.time()
        play(60, until=lambda: Hold.objects.filter(lifted_at=None).count() >= DEAD)
        play(QUICK)
        holds = list(Hold.objects.filter(automatic=True))
        times = [hold.created_at.timestamp() - at for hold in holds if hold.upstream in dead]
        wrong = sum(hold.upstream not in dead for hold in holds)
        scene.add("dead upstreams on hold, after", f"{len(times)} of {DEAD}; {_describe(times)}")
        scene.add("living upstreams on hold", f"{wrong}")
        failed = [sum(e[2] == host and e[0] > at for e in crowd.ends) for host in dead]
        scene.add("failed of each dead one", f"{min(failed)} to {max(failed)}")
