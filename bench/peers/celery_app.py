"""Celery's side, which runs in an environment without Redrive's dependencies.

``python -m bench.peers.celery_app COUNT [URL]`` queues so many jobs, which do nothing or fetch the
URL, and prints the seconds it took.
"""

import os
import sys
import time

# In an environment of its own, which may have another release than the project.
from celery import Celery

from bench.peers.jobs import fetch, noop

app = Celery("peer", broker=os.environ["BENCH_CELERY_BROKER"])
app.conf.update(
    task_ignore_result=True,
    worker_prefetch_multiplier=64,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
)
task = app.task(name="noop")(noop)
# Acknowledged when it is done, so that an empty queue means that all are.
request = app.task(name="fetch", acks_late=True)(fetch)


def main(count: int, url: str | None = None) -> None:
    chosen = request if url else task
    chosen.apply_async((url or 0,))  # connects
    begin = time.perf_counter()
    for number in range(count):
        chosen.apply_async((url or number,))
    print(time.perf_counter() - begin)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
