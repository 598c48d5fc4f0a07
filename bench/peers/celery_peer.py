"""Celery with Redis as its broker, in an environment of its own."""

import os
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from bench.peers import common
from bench.processes import running, until
from bench.report import Measured, not_installed

PYTHON = common.HERE / ".venv" / "bin" / "python"


def installed() -> bool:
    return (PYTHON.parent / "celery").exists()


def _broker() -> str:
    address = common.address(common.CELERY)
    split = urlsplit(address)
    if split.scheme != "unix":
        return address
    return f"redis+socket://{split.path}?virtual_host={parse_qs(split.query)['db'][0]}"


def queue_up(count: int) -> Measured:
    name = "Celery, a loop of apply_async"
    if not installed():
        return not_installed(name)
    connection = common.client(common.CELERY)
    connection.flushdb()
    took = _enqueue(count)
    assert connection.llen("celery") == count + 1
    connection.flushdb()
    return Measured(name=name, entries=count, seconds=took)


def drain(count: int) -> Measured:
    name = "Celery, prefork -c 2"
    if not installed():
        return not_installed(name)
    connection = common.client(common.CELERY)
    connection.flushdb()
    _enqueue(count - 1)
    connection.rename("celery", "held")
    worker: list[str | Path] = [PYTHON, "-m", "celery", "-A", "bench.peers.celery_app", "worker"]
    options = [
        "-c",
        "2",
        "--without-gossip",
        "--without-mingle",
        "--without-heartbeat",
        "-l",
        "WARNING",
    ]
    with running([*worker, *options], env=os.environ | {"BENCH_CELERY_BROKER": _broker()}):
        until(lambda: bool(connection.client_list(_type="normal")[1:]) and _listening())
        begin = time.perf_counter()
        connection.rename("held", "celery")
        until(lambda: not connection.llen("celery") and not connection.hlen("unacked"))
        took = time.perf_counter() - begin
    connection.flushdb()
    return Measured(name=name, entries=count, seconds=took)


def _listening() -> bool:
    """Whether a worker waits on the queue."""
    found = common.client(common.CELERY).client_list()
    return any(client["cmd"] == "brpop" and client["db"] == str(common.CELERY) for client in found)


def _enqueue(count: int) -> float:
    os.environ["BENCH_CELERY_BROKER"] = _broker()
    return float(common.answer([PYTHON, "-m", "bench.peers.celery_app", str(count)]))
