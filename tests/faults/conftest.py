"""Processes that several faults befall."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import listening_worker, manage
from tests.support.servers import Spawned


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
