"""From a backlog to the last outcome with two workers, against other queues with two."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench import limits, stage
from bench.peers import bullmq_peer, celery_peer, rq_peer
from bench.processes import OWN, ProcessWatch, manage, run, wait_until
from bench.report import Measurement, Report, add_turns, compare, describe_turns

ENTRIES = 100_000
WORKERS = 2


def main() -> Report:
    """Measure all; Redrive and the fastest peer take two turns, before and after the others."""
    first, rival = measure_redrive(), bullmq_peer.drain(ENTRIES)
    others: list[Callable[[], Measurement]] = [
        lambda: rq_peer.drain(1_000, kind="fork"),
        lambda: rq_peer.drain(10_000, kind="simple"),
        lambda: celery_peer.drain(20_000),
        lambda: limits.measure_work_rate(ENTRIES),
    ]
    measured = [other() for other in others]
    rival_again, again = bullmq_peer.drain(ENTRIES), measure_redrive()
    return compare(
        "Draining",
        [add_turns(first, again), add_turns(rival, rival_again), *measured],
        notes=[
            (
                "The jobs do nothing, so only the queue is measured. All workers are up and idle "
                "before the backlog is released."
            ),
            (
                "Redrive: until every outcome is committed in PostgreSQL, with the dispatcher "
                "running. The others: until every outcome is in Redis; Celery keeps none."
            ),
            describe_turns(redrive=(first, again), rival=(rival, rival_again)),
        ],
    )


def measure_redrive(count: int = ENTRIES) -> Measurement:
    with stage.run_dispatcher() as dispatcher:
        stage.make_failed_entries(count)
        operation = stage.start_operation()
        wait_until(lambda: stage.is_queued(operation))
        with release_backlog(dispatcher) as begin:
            wait_until(lambda: stage.count_open_runs(operation) == 0)
            took = time.perf_counter() - begin.at
    assert stage.count_status("succeeded") == count
    return Measurement(name=f"Redrive, {WORKERS} workers", entries=count, seconds=took, ours=True)


@dataclass(frozen=True, slots=True)
class Begin:
    at: float
    workers: ProcessWatch


@contextmanager
def release_backlog(dispatcher: ProcessWatch) -> Iterator[Begin]:
    """Start the workers on a queue that looks empty, and show the jobs when all are up.

    The dispatcher is stopped meanwhile, or it would hand the hidden jobs over again.
    """
    pid = dispatcher.processes[0].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        stage.hide_jobs()
        worker = manage("worker", stage.QUEUE)
        with run(*[worker] * WORKERS, env=OWN) as watched:
            wait_until(lambda: stage.count_idle_workers() == WORKERS)
            begin = Begin(time.perf_counter(), watched)
            stage.show_jobs()
            os.kill(pid, signal.SIGCONT)
            yield begin
    finally:
        os.kill(pid, signal.SIGCONT)
