"""Another server, on this machine, and leave to talk to it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.http import LocalServer


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with LocalServer() as running:
        yield running


@pytest.fixture
def this_machine_is_allowed(settings: Any) -> None:
    settings.REDRIVE_ALLOW_PRIVATE_ADDRESSES = False
    settings.REDRIVE_ALLOWED_NETWORKS = ["127.0.0.1/32"]
