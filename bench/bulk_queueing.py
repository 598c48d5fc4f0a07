"""From "retry everything that failed" to the last entry ``queued``, against other queues."""

import time
from collections.abc import Callable

from bench import limits, stage
from bench.peers import bullmq_peer, celery_peer, rq_peer
from bench.processes import until
from bench.report import Measured, Report, comparison, together, turns

ENTRIES = 100_000
#: How many the slow ones get: their cost per entry does not depend on it.
FEW = 5_000


def main() -> Report:
    """Ours and the fastest peer take two turns, one before and one after the others."""
    first, rival = ours(), _rival()
    others: list[Callable[[], Measured]] = [
        lambda: bullmq_peer.queue_up(ENTRIES, mode="retryJobs"),
        lambda: rq_peer.enqueue_many(4 * FEW),
        lambda: rq_peer.requeue_all(FEW),
        lambda: celery_peer.queue_up(FEW),
        lambda: limits.bare_queueing(ENTRIES),
        lambda: limits.bare_redis(ENTRIES),
    ]
    measured = [other() for other in others]
    rival_again, again = _rival(), ours()
    return comparison(
        "Bulk queueing",
        [together(first, again), together(rival, rival_again), *measured],
        notes=[
            (
                "Ours: from the call that starts the operation, over the wait until the "
                "dispatcher (a process of its own) looks, to every entry queued in PostgreSQL "
                "with its attempt and every run in Redis."
            ),
            (
                "Theirs: a job for each entry into Redis, by one process, with no record of it "
                "elsewhere."
            ),
            turns(ours=(first, again), rival=(rival, rival_again)),
        ],
    )


def _rival() -> Measured:
    return bullmq_peer.queue_up(ENTRIES, mode="addBulk")


def ours(count: int = ENTRIES) -> Measured:
    with stage.dispatcher():
        stage.failed_entries(count)
        begin = time.perf_counter()
        operation = stage.start()
        until(lambda: stage.all_queued(operation))
        took = time.perf_counter() - begin
    assert stage.in_status("queued") == count
    return Measured(name="Redrive, one operation", entries=count, seconds=took, ours=True)
