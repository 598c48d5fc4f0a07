"""Processes that several faults befall."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import listening_worker, manage
from tests.support.servers import Spawned


def pytest_itemcollected(item: pytest.Function) -> None:
    """One test process has all of a file, with the servers that they share, and forks their
    processes from the same few."""
    item.add_marker(pytest.mark.xdist_group(item.module.__name__))


@pytest.fixture
def dispatcher() -> Iterator[Spawned]:
    with manage("dispatcher") as process:
        process.wait_for_output("dispatcher.started")
        yield process


@pytest.fixture
def worker() -> Iterator[Spawned]:
    with listening_worker("default") as process:
        yield process


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger"
