"""The demo as people start it: it comes up, keeps its processes alive, leaves nothing behind."""

import http.client
import json
import os
import re
import signal
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers import Spawned, private_folder, process_exists, spawn, wait_until
from tools.demo.behaviour import Behaviour, tally
from tools.demo.deliveries import REFUSED, WAITING

PAGES = 20
PAGES_FAIL = PAGES - tally(PAGES, broken=True)[Behaviour.WORKS]
SPAWNED = re.compile(r"spawned: '([\w-]+)' with pid (\d+)")


@pytest.fixture
def data() -> Iterator[Path]:
    with private_folder() as folder:
        yield folder


@pytest.fixture
def port() -> int:
    """The first of two free ones in a row."""
    for candidate in range(20_000 + os.getpid() % 10_000, 40_000, 2):
        if all(free(number) for number in (candidate, candidate + 1)):
            return candidate
    raise AssertionError("no two free ports in a row")


def free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def demo(data: Path, port: int) -> Spawned:
    env = {
        "DATABASE_URL": None,
        "REDIS_URL": None,
        "DATA_DIR": str(data),
        "PORT": str(port),
        "DEMO_ENTRIES": str(PAGES),
    }
    return spawn(sys.executable, "-m", "tools.demo", env=env)


def processes(running: Spawned) -> dict[str, int]:
    """The latest pid of each of the demo's processes."""
    return {name: int(pid) for name, pid in SPAWNED.findall(running.output)}


def get(port: int, path: str, token: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def ask(data: Path, port: int, path: str) -> Any:
    token = (data / "demo_token").read_text().strip()
    status, body = get(port, f"/admin/api/{path}", token)
    assert status == 200, body
    return json.loads(body)


def assert_alive(data: Path, port: int) -> None:
    """Something fails, waits and runs; people with names have done something about it."""
    found = ask(data, port, "operations")["results"]
    operations = {each["state"]: each for each in found}
    assert operations.keys() >= {"awaiting_approval", "planned"}
    moving = operations.get("running") or found[0]
    assert (moving["actor"], moving["reason"]) == ("ben", "Prices changed")
    assert operations["planned"]["actor"] == "anna"
    (hold,) = ask(data, port, "holds")["results"]
    assert hold["upstream"] == "crm"
    wait_until(
        lambda: ask(data, port, "status")["entries"]["failed"] == PAGES_FAIL + REFUSED,
        timeout=30,
        what="everything has been tried",
    )


def assert_the_same_again(data: Path, port: int) -> None:
    """A second start adds nothing and goes on where the first ended."""
    with demo(data, port) as again:
        shown = again.wait_for_output("Retry one entry", timeout=120)
        assert "Syncing the source demo" not in shown
        assert len(ask(data, port, "operations")["results"]) == 3
        again.send(signal.SIGINT)
        assert again.wait(timeout=60) == 0


def test_the_demo_runs_and_ends(data: Path, port: int) -> None:
    with demo(data, port) as running:
        shown = running.wait_for_output("Retry one entry", timeout=120)
        assert f"http://127.0.0.1:{port}/admin/" in shown
        assert "Syncing the source demo" in shown
        assert "Setting the scene" in shown

        kinds = Counter(
            found["kind"]
            for found in ask(data, port, "entries?limit=100")["results"]
            if found["source"] != "redrive-notices"
        )
        assert kinds == {"page": PAGES, "webhook": REFUSED + WAITING}
        assert_alive(data, port)

        first = processes(running)
        os.kill(first["worker-default"], signal.SIGKILL)
        wait_until(
            lambda: processes(running)["worker-default"] != first["worker-default"],
            timeout=30,
            what="the killed worker comes back",
        )
        last = processes(running)

        with demo(data, port) as second:
            assert second.wait() == 1
            assert f"Port {port} is taken" in second.output

        running.send(signal.SIGINT)
        assert running.wait(timeout=60) == 0
    assert_the_same_again(data, port)
    assert not any(process_exists(pid) for pid in [*first.values(), *last.values()])
    assert free(port)
    assert free(port + 1)


def test_a_step_that_fails_shows_its_output_and_ends_everything(data: Path, port: int) -> None:
    (data / "static").write_text("a file where a folder has to be")
    with demo(data, port) as running:
        assert running.wait(timeout=60) == 1
        assert "Collecting the static files failed: manage.py collectstatic" in running.output
        assert "Traceback" in running.output
    assert not (data / "postgres" / "postmaster.pid").exists()
