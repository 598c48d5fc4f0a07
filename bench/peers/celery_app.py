"""Celery's side, which runs in an environment without Redrive's dependencies.

``python -m bench.peers.celery_app COUNT`` queues so many jobs and prints the seconds it took.
"""

import os
import sys
import time

# Installed beside the project, never in it.
from celery import Celery  # type: ignore[import-not-found]

from bench.peers.jobs import noop

app = Celery("peer", broker=os.environ["BENCH_CELERY_BROKER"])
app.conf.update(
    task_ignore_result=True,
    worker_prefetch_multiplier=64,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
)
task = app.task(name="noop")(noop)


def main(count: int) -> None:
    task.apply_async((0,))  # connects
    begin = time.perf_counter()
    for number in range(count):
        task.apply_async((number,))
    print(time.perf_counter() - begin)


if __name__ == "__main__":
    main(int(sys.argv[1]))
