"""Celery with Redis as its broker, in an environment of its own."""

import os
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from bench.peers import common
from bench.processes import run, wait_until
from bench.report import Measurement, describe_missing_peer

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
    name = "Celery, prefork -c 2"
    if not is_installed():
        return describe_missing_peer(name)
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
    with run([*worker, *options], env=os.environ | {"BENCH_CELERY_BROKER": _broker()}):
        wait_until(lambda: bool(connection.client_list(_type="normal")[1:]) and _has_listener())
        begin = time.perf_counter()
        connection.rename("held", "celery")
        wait_until(lambda: not connection.llen("celery") and not connection.hlen("unacked"))
        took = time.perf_counter() - begin
    connection.flushdb()
    return Measurement(name=name, entries=count, seconds=took)


def _has_listener() -> bool:
    """Tell whether a worker waits on the queue."""
    found = common.client(common.CELERY).client_list()
    return any(client["cmd"] == "brpop" and client["db"] == str(common.CELERY) for client in found)


def _enqueue(count: int) -> float:
    os.environ["BENCH_CELERY_BROKER"] = _broker()
    return float(common.read_output([PYTHON, "-m", "bench.peers.celery_app", str(count)]))
