"""Celery with Redis as its broker, in an environment of its own."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from bench.peers import common
from bench.processes import run, wait_until
from bench.report import Measurement, describe_missing_peer

#: Jobs that each of its workers handles at a time where they wait.
THREADS = 100
PYTHON = common.HERE / ".venv" / "bin" / "python"


def is_installed() -> bool:
    return (PYTHON.parent / "celery").exists()


def _broker() -> str:
    address = common.address(common.CELERY)
    split = urlsplit(address)
    if split.scheme != "unix":
        return address
    return f"redis+socket://{split.path}?virtual_host={parse_qs(split.query)['db'][0]}"


def queue_up(count: int) -> Measurement:
    name = "Celery, a loop of apply_async"
    if not is_installed():
        return describe_missing_peer(name)
    connection = common.client(common.CELERY)
    connection.flushdb()
    took = _enqueue(count)
    assert connection.llen("celery") == count + 1
    connection.flushdb()
    return Measurement(name=name, entries=count, seconds=took)


def drain(count: int) -> Measurement:
    """Measure one worker with two processes, whose jobs do nothing."""
    return _drain("Celery, prefork -c 2", count, workers=[["-c", "2"]])


def drain_requests(count: int, *, url: str) -> Measurement:
    """Measure two workers with a hundred threads each, whose jobs fetch ``url``."""
    options = ["-P", "threads", "-c", str(THREADS)]
    workers = [[*options, "-n", f"peer-{number}@%h"] for number in (1, 2)]
    return _drain(f"Celery, 2 workers, threads -c {THREADS}", count, workers=workers, url=url)


def _drain(
    name: str, count: int, *, workers: Sequence[Sequence[str]], url: str | None = None
) -> Measurement:
    """Measure the workers with these options each, from a backlog to an empty queue."""
    if not is_installed():
        return describe_missing_peer(name)
    connection = common.client(common.CELERY)
    connection.flushdb()
    _enqueue(count - 1, url=url)
    connection.rename("celery", "held")
    worker: list[str | Path] = [PYTHON, "-m", "celery", "-A", "bench.peers.celery_app", "worker"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "WARNING"]
    commands = [[*worker, *quiet, *options] for options in workers]
    with run(*commands, env=os.environ | {"BENCH_CELERY_BROKER": _broker()}):
        wait_until(lambda: _count_listeners() == len(commands))
        begin = time.perf_counter()
        connection.rename("held", "celery")
        wait_until(lambda: not connection.llen("celery") and not connection.hlen("unacked"))
        took = time.perf_counter() - begin
    connection.flushdb()
    return Measurement(name=name, entries=count, seconds=took)


def _count_listeners() -> int:
    """Count the workers that wait on the queue."""
    found = common.client(common.CELERY).client_list()
    return sum(client["cmd"] == "brpop" and client["db"] == str(common.CELERY) for client in found)


def _enqueue(count: int, *, url: str | None = None) -> float:
    os.environ["BENCH_CELERY_BROKER"] = _broker()
    words = [str(count), *([url] if url else [])]
    return float(common.read_output([PYTHON, "-m", "bench.peers.celery_app", *words]))
