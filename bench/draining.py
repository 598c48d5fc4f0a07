"""From a backlog to the last outcome, with two workers, against other queues' two."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench import limits, stage
from bench.peers import bullmq_peer, celery_peer, rq_peer
from bench.processes import OWN, Watched, manage, running, until
from bench.report import Measured, Report, comparison, together, turns

ENTRIES = 100_000
WORKERS = 2


def main() -> Report:
    """Ours and the fastest peer take two turns, one before and one after the others."""
    first, rival = ours(), bullmq_peer.drain(ENTRIES)
    others: list[Callable[[], Measured]] = [
        lambda: rq_peer.drain(1_000, kind="fork"),
        lambda: rq_peer.drain(10_000, kind="simple"),
        lambda: celery_peer.drain(20_000),
        lambda: limits.bare_draining(ENTRIES),
    ]
    measured = [other() for other in others]
    rival_again, again = bullmq_peer.drain(ENTRIES), ours()
    return comparison(
        "Draining",
        [together(first, again), together(rival, rival_again), *measured],
        notes=[
            (
                "Work that does nothing, so that what is measured is the queue. All workers are up "
                "and idle before the backlog is let loose."
            ),
            (
                "Ours: until every outcome is committed in PostgreSQL, with the dispatcher "
                "running. Theirs: until every outcome is in Redis; Celery keeps none."
            ),
            turns(ours=(first, again), rival=(rival, rival_again)),
        ],
    )


def ours(count: int = ENTRIES) -> Measured:
    with stage.dispatcher() as dispatcher:
        stage.failed_entries(count)
        operation = stage.start()
        until(lambda: stage.all_queued(operation))
        with backlog(dispatcher) as begin:
            until(lambda: stage.open_runs(operation) == 0)
            took = time.perf_counter() - begin.at
    assert stage.in_status("succeeded") == count
    return Measured(name=f"Redrive, {WORKERS} workers", entries=count, seconds=took, ours=True)


@dataclass(frozen=True, slots=True)
class Begin:
    at: float
    workers: Watched


@contextmanager
def backlog(dispatcher: Watched) -> Iterator[Begin]:
    """Start the workers on what looks like an empty queue, and let it loose when all are up.

    The dispatcher sleeps meanwhile, or it would miss the jobs and hand them over again.
    """
    pid = dispatcher.processes[0].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        stage.hold_back()
        worker = manage("worker", stage.QUEUE)
        with running(*[worker] * WORKERS, env=OWN) as watched:
            until(lambda: stage.idle_workers() == WORKERS)
            begin = Begin(time.perf_counter(), watched)
            stage.let_loose()
            os.kill(pid, signal.SIGCONT)
            yield begin
    finally:
        os.kill(pid, signal.SIGCONT)
