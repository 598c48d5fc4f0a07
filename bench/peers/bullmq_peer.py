"""BullMQ on Node.js: a job for each entry, and the fastest peer we know of."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

from bench.peers import common
from bench.processes import running, until
from bench.report import Measured, not_installed

FOLDER = common.HERE / "bullmq"
#: Jobs that each of its two workers has under way; more than this was no faster.
CONCURRENCY = 100


def installed() -> bool:
    return shutil.which("node") is not None and (FOLDER / "node_modules" / "bullmq").exists()


def queue_up(count: int, *, mode: str) -> Measured:
    """``mode``: addBulk or retryJobs, in chunks of 1,000."""
    name = f"BullMQ, {mode}"
    if not installed():
        return not_installed(name)
    took = json.loads(_node("queueing.mjs", mode=mode, count=count))["seconds"]
    common.client(common.BULLMQ).flushdb()
    return Measured(name=name, entries=count, seconds=took)


def drain(count: int) -> Measured:
    name = f"BullMQ, 2 workers, concurrency {CONCURRENCY}"
    if not installed():
        return not_installed(name)
    connection = common.client(common.BULLMQ)
    _node("queueing.mjs", mode="fill", count=count)
    worker: list[str | Path] = ["node", FOLDER / "worker.mjs", _options(concurrency=CONCURRENCY)]
    resume: list[str | Path] = ["node", FOLDER / "resume.mjs", _options()]
    with running(worker, worker, ready="ready"), running(resume):
        # Until the first outcome, because starting Node.js is not to be counted.
        until(lambda: int(connection.zcard("bull:peer:completed")) > 0, seconds=60, every=0.002)
        begin = time.perf_counter()
        until(lambda: int(connection.zcard("bull:peer:completed")) == count)
        took = time.perf_counter() - begin
    connection.flushdb()
    return Measured(name=name, entries=count, seconds=took)


def _node(script: str, **options: Any) -> str:
    return common.answer(["node", FOLDER / script, _options(**options)])


def _options(**options: Any) -> str:
    return json.dumps({"connection": common.parts(common.BULLMQ), **options})
