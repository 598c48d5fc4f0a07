"""BullMQ on Node.js with a job for each entry; the fastest known peer."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

from bench.peers import common
from bench.processes import run, wait_until
from bench.report import Measurement, describe_missing_peer

FOLDER = common.HERE / "bullmq"
#: Jobs that each of its two workers handles at a time; more was not faster.
CONCURRENCY = 100


def is_installed() -> bool:
    return shutil.which("node") is not None and (FOLDER / "node_modules" / "bullmq").exists()


def queue_up(count: int, *, mode: str) -> Measurement:
    """Measure ``mode``, addBulk or retryJobs, in chunks of 1,000."""
    name = f"BullMQ, {mode}"
    if not is_installed():
        return describe_missing_peer(name)
    took = json.loads(_node("queueing.mjs", mode=mode, count=count))["seconds"]
    common.client(common.BULLMQ).flushdb()
    return Measurement(name=name, entries=count, seconds=took)


def drain(count: int, *, url: str | None = None) -> Measurement:
    """Measure two workers whose jobs do nothing, or fetch ``url``."""
    name = f"BullMQ, 2 workers, concurrency {CONCURRENCY}"
    if not is_installed():
        return describe_missing_peer(name)
    connection = common.client(common.BULLMQ)
    _node("queueing.mjs", mode="fill", count=count)
    options = _options(concurrency=CONCURRENCY, url=url)
    worker: list[str | Path] = ["node", FOLDER / "worker.mjs", options]
    resume: list[str | Path] = ["node", FOLDER / "resume.mjs", _options()]
    with run(worker, worker, ready="ready"), run(resume):
        # From the first outcome on: the start of Node.js does not count.
        wait_until(
            lambda: int(connection.zcard("bull:peer:completed")) > 0, seconds=60, every=0.002
        )
        begin = time.perf_counter()
        wait_until(lambda: int(connection.zcard("bull:peer:completed")) == count)
        took = time.perf_counter() - begin
    connection.flushdb()
    return Measurement(name=name, entries=count, seconds=took)


def _node(script: str, **options: Any) -> str:
    return common.read_output(["node", FOLDER / script, _options(**options)])


def _options(**options: Any) -> str:
    return json.dumps({"connection": common.parts(common.BULLMQ), **options})
