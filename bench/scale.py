"""The cost of an entry as the operation grows: time, memory, and memory in Redis."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection

from bench import chart, stage, worker_throughput
from bench.processes import OWN, wait_until
from bench.report import Report
from config.env import BASE_DIR
from retry import queue
from retry.models import Operation
from retry.operations.progress import read_progress

SIZES = (1_000, 10_000, 100_000)
FULL = 1_000_000
CHART = Path(__file__).parent.parent / "docs" / "performance" / "cost-per-entry.svg"
_MB = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One size of operation; the names end in the units."""

    entries: int
    freezing_s: float
    starting_s: float
    progress_ms: float
    redis_mb: float
    web_mb: float
    dispatcher_mb: float
    worker_mb: float | None = None
    drained_per_s: float | None = None

    @property
    def cost_us(self) -> float:
        """Microseconds for one entry, without the wait for the dispatcher."""
        return (self.freezing_s + self.starting_s) / self.entries * 1_000_000


def main(*, full: bool, draw: bool) -> Report:
    sizes = (*SIZES, FULL) if full else SIZES
    found = [_measure(size, drain=size == sizes[-1]) for size in sizes]
    if draw:
        CHART.write_text(chart.draw([(item.entries, item.cost_us) for item in found]))
    return _report(found)


def _measure(size: int, *, drain: bool) -> Point:
    with stage.run_dispatcher() as dispatcher:
        stage.make_failed_entries(size)
        before = _redis_memory()
        with _start_request() as answer:
            wait_until(Operation.objects.exists, every=0.01)
            operation = Operation.objects.get()
            wait_until(lambda: stage.is_queued(operation), every=0.01)
            starting = _seconds_since_start(operation)
            web = answer()
        grown = _redis_memory() - before
        reading = statistics.median(_time_progress(operation) for _ in range(21))
        worker_mb = rate = None
        if drain:
            with worker_throughput.release_backlog(dispatcher) as begin:
                wait_until(lambda: stage.count_open_runs(operation) == 0, seconds=1800)
                rate = size / (time.perf_counter() - begin.at)
                worker_mb = begin.workers.peak / _MB
        peak = dispatcher.peak / _MB
    return Point(
        entries=size,
        freezing_s=web["seconds"],
        starting_s=starting,
        progress_ms=reading,
        redis_mb=grown / _MB,
        web_mb=web["peak"] / _MB,
        dispatcher_mb=peak,
        worker_mb=worker_mb,
        drained_per_s=rate,
    )


@contextmanager
def _start_request() -> Iterator[Callable[[], dict[str, Any]]]:
    """Send the request from a web process; the function it yields waits for the answer."""
    command = [sys.executable, "-m", "bench.web"]
    with subprocess.Popen(
        command, cwd=BASE_DIR, env=os.environ | OWN, stdout=subprocess.PIPE, text=True
    ) as process:

        def answer() -> dict[str, Any]:
            result: dict[str, Any] = json.loads(process.communicate()[0])
            return result

        yield answer


def _seconds_since_start(operation: Operation) -> float:
    """Return the seconds since the dispatcher started it, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM clock_timestamp() - started_at) FROM retry_operation"
            " WHERE id = %s",
            [operation.pk],
        )
        return float(cursor.fetchone()[0])


def _time_progress(operation: Operation) -> float:
    begin = time.perf_counter()
    read_progress(operation.pk)
    return (time.perf_counter() - begin) * 1000


def _redis_memory() -> int:
    found = queue.get_client().info("memory")
    assert isinstance(found, dict)
    return int(found["used_memory"])


def _report(found: list[Point]) -> Report:
    rows = [
        [
            f"{item.entries:,}",
            f"{item.cost_us:.1f}",
            f"{item.freezing_s:.2f}",
            f"{item.starting_s:.2f}",
            f"{item.progress_ms:.1f}",
            f"{item.redis_mb:.1f}",
            f"{item.web_mb:.0f}",
            f"{item.dispatcher_mb:.0f}",
            _format_optional(item.worker_mb),
            _format_optional(item.drained_per_s),
        ]
        for item in found
    ]
    columns = ["entries", "µs/entry", "freezing s", "starting s", "progress ms", "Redis MB"]
    columns += ["web MB", "dispatcher MB", "worker MB", "drained/s"]
    notes = [
        (
            "µs/entry: freezing (the request, until its response) and starting (from the moment "
            "the dispatcher sees the operation until every run is in Redis), without the wait "
            "between."
        ),
        (
            "MB: the peak resident memory of any process, for workers with their work-horses. "
            "Redis: growth by queueing."
        ),
    ]
    return Report("Growing", columns, rows, notes)


def _format_optional(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"
