"""What steps of the dispatcher cost beside a large operation, and beside much that waits."""

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction

from bench.report import Report
from entries.sql import load
from retry import queue
from retry.dispatcher import pacing
from retry.dispatcher.attention import find_due_holds
from retry.dispatcher.failure_limit import _SQL as LIMIT_SQL
from retry.dispatcher.failure_limit import judge, measure_room
from retry.dispatcher.loop import Dispatcher
from retry.dispatcher.losses import Losses
from retry.models import Operation, Run, RunState
from retry.runs import lifecycle
from retry.runs.backlog import find_undispatched_runs
from retry.runs.cancellation import cancel_next_run

RUNS, PLANNED, WAITING = 21_000, 300, 300_000
TURNS = 11

_SQL = load(__file__)
Row = tuple[str, str, Callable[[], object]]


def main() -> Report:
    rows = [*_measure_all(_make_large()), *_measure_all(_make_waiting())]
    return Report(
        f"Steps of the dispatcher: {RUNS:,} runs of an operation, {WAITING:,} that wait",
        ["", "p50 ms", "least ms"],
        rows,
        [f"Medians of {TURNS} calls; what they write is rolled back."],
    )


def _measure_all(scene: Iterator[Row]) -> Iterator[list[str]]:
    for name, function, call in scene:
        took = []
        for _ in range(TURNS):
            with transaction.atomic():
                began = time.perf_counter()
                call()
                took.append((time.perf_counter() - began) * 1000)
                transaction.set_rollback(True)
            if sum(took) > 30_000:
                break
        yield [f"{name}: {function}", f"{statistics.median(took):,.1f}", f"{min(took):,.1f}"]


def _execute(name: str, **params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(name, params)


def _empty() -> None:
    queue.get_client().flushdb()
    _execute(_SQL["empty"])


def _make_large() -> Iterator[Row]:
    _empty()
    id_ = uuid4()
    _execute(_SQL["insert_operation"], id=id_, runs=RUNS)
    _execute(_SQL["insert_runs"], id=id_, runs=RUNS, planned=PLANNED)
    _execute("VACUUM ANALYZE retry_run")
    yield from _list_steps(id_)


def _list_steps(id_: UUID) -> Iterator[Row]:
    name = "large"
    operation = Operation.objects.get(pk=id_)
    planned = pacing._find_planned(operation, canary_only=False, probing="")
    canary = pacing._find_planned(operation, canary_only=True, probing="")
    first = Run.objects.filter(operation=id_).order_by("position")[0]
    yield name, "judge", lambda: judge(operation)
    yield name, "measure_room", lambda: measure_room(operation)
    yield (
        name,
        "canary_state",
        lambda: _execute(LIMIT_SQL["canary_state"], operation=id_, since=None, by_workers=True),
    )
    yield (
        name,
        "_choose",
        lambda: pacing._choose(operation, planned, most=5000, beside=False),
    )
    yield name, "_choose, of the canary", lambda: list(canary.order_by("position", "id"))
    yield name, "_has_more", lambda: pacing._has_more(operation)
    yield name, "end_operation", lambda: pacing._end(id_)
    yield name, "step", lambda: pacing.step(id_)
    yield name, "claim_next", lambda: lifecycle.claim_next(first, worker="bench")
    yield name, "cancel_next_run", lambda: cancel_next_run(id_)


def _make_waiting() -> Iterator[Row]:
    _empty()
    id_ = uuid4()
    _execute(_SQL["insert_operation"], id=id_, runs=WAITING // 50)
    _execute(_SQL["insert_waiting"], id=id_, runs=WAITING // 2)
    _execute(_SQL["insert_waiting"], id=None, runs=WAITING // 2)
    _execute(_SQL["hold"], upstream="host-1")
    _execute("VACUUM ANALYZE retry_run")
    jobs = Run.objects.filter(state=RunState.QUEUED).order_by("dispatched_at")
    names = list(jobs.values_list("job_id", flat=True))
    for at in range(0, len(names), 10_000):
        queue.get_client().rpush("rq:queue:redrive-bulk", *names[at : at + 10_000])
    name = "waiting"
    dispatcher, losses = Dispatcher(), Losses()

    def look_at_all() -> None:
        losses.find(limit=500)
        while losses._look is not None:
            losses.find(limit=500)

    def sweep() -> None:
        dispatcher._sweep._moved_at = -10.0
        dispatcher._sweep.step()

    yield name, "queue.observe", lambda: queue.observe(["default", "bulk", "sync"])
    yield name, "the look, of a tick", lambda: losses.find(limit=500)
    yield name, "the look, whole", look_at_all
    yield from _list_holds(name, sweep)
    _execute(_SQL["hold"], upstream="")
    _execute("UPDATE retry_run SET dispatched_at = NULL")
    _execute("VACUUM ANALYZE retry_run")
    yield from _list_holds("held", sweep)
    _execute("UPDATE retry_run SET upstream = 'host-' || mod(position, 500)")
    _execute("VACUUM ANALYZE retry_run")
    yield from _list_holds("held, of upstreams", sweep)


def _list_holds(name: str, sweep: Callable[[], object]) -> Iterator[Row]:
    yield name, "find_undispatched_runs", lambda: find_undispatched_runs(limit=500)
    yield name, "find_due_holds", find_due_holds
    yield name, "the sweep of holds", sweep
