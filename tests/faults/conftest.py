"""Processes that several faults befall."""

from collections.abc import Iterator

import pytest

from tests.support.processes import manage
from tests.support.servers import Spawned


@pytest.fixture
def dispatcher() -> Iterator[Spawned]:
    with manage("dispatcher") as process:
        process.wait_for_output("dispatcher.started")
        yield process
