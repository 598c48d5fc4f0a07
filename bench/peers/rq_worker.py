"""``python -m bench.peers.rq_worker fork|simple URL``: RQ's own worker."""

import logging
import sys

from redis import Redis
from rq import Queue, SimpleWorker, Worker

import bench.peers.jobs  # noqa: F401 - or each work-horse would import it


def main(kind: str, url: str) -> None:
    connection = Redis.from_url(url)
    chosen = SimpleWorker if kind == "simple" else Worker
    worker = chosen([Queue("peer", connection=connection)], connection=connection)
    worker.log.setLevel(logging.WARNING)
    worker.work(logging_level="WARNING")


if __name__ == "__main__":
    main(*sys.argv[1:])
