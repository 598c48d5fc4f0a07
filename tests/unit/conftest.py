"""Another server, on this machine, and leave to talk to it; registries of a test's own."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.fetching import Ask, get, post
from tests.support.http import LocalServer
from tests.support.registries import restored_registries


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with LocalServer() as running:
        yield running


@pytest.fixture
def keeper() -> Iterator[LocalServer]:
    """A server that keeps connections, and says nothing about it."""
    with LocalServer(keeps=True) as running:
        yield running


@pytest.fixture(params=[get, post])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Both ways to make a request."""
    asked: Ask = request.param
    return asked


@pytest.fixture
def this_machine_is_allowed(settings: Any) -> None:
    settings.REDRIVE_ALLOW_PRIVATE_ADDRESSES = False
    settings.REDRIVE_ALLOWED_NETWORKS = ["127.0.0.1/32"]


@pytest.fixture
def private_addresses(settings: Any) -> None:
    settings.REDRIVE_ALLOW_PRIVATE_ADDRESSES = True


@pytest.fixture
def own_registries() -> Iterator[None]:
    """Copies, so that a test's kinds are gone with it."""
    with restored_registries():
        yield
