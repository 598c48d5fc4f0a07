"""From "retry everything that failed" until the last entry is queued, against other queues."""

import time
from collections.abc import Callable

from bench import limits, stage
from bench.peers import bullmq_peer, celery_peer, rq_peer
from bench.processes import wait_until
from bench.report import Measurement, Report, add_turns, compare, describe_turns

ENTRIES = 100_000
#: For the slow ones, whose cost per entry does not depend on the number.
FEW = 5_000


def main() -> Report:
    """Measure all; Redrive and the fastest peer take two turns, before and after the others."""
    first, rival = measure_redrive(), _measure_rival()
    others: list[Callable[[], Measurement]] = [
        lambda: bullmq_peer.queue_up(ENTRIES, mode="retryJobs"),
        lambda: rq_peer.enqueue_many(4 * FEW),
        lambda: rq_peer.requeue_all(FEW),
        lambda: celery_peer.queue_up(FEW),
        lambda: limits.measure_queue_rate(ENTRIES),
        lambda: limits.measure_redis(ENTRIES),
    ]
    measured = [other() for other in others]
    rival_again, again = _measure_rival(), measure_redrive()
    return compare(
        "Bulk queueing",
        [add_turns(first, again), add_turns(rival, rival_again), *measured],
        notes=[
            (
                "Redrive: from the call that starts the operation until every entry is queued in "
                "PostgreSQL with its attempt and every run is in Redis, with the wait for the "
                "dispatcher, a process of its own."
            ),
            ("The others: a job for each entry in Redis, by one process, with no other record."),
            describe_turns(redrive=(first, again), rival=(rival, rival_again)),
        ],
    )


def _measure_rival() -> Measurement:
    return bullmq_peer.queue_up(ENTRIES, mode="addBulk")


def measure_redrive(count: int = ENTRIES) -> Measurement:
    with stage.run_dispatcher():
        stage.make_failed_entries(count)
        begin = time.perf_counter()
        operation = stage.start_operation()
        wait_until(lambda: stage.is_queued(operation))
        took = time.perf_counter() - begin
    assert stage.count_status("queued") == count
    return Measurement(name="Redrive, one operation", entries=count, seconds=took, ours=True)
