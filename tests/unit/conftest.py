"""Another server, on this machine, and leave to talk to it; registries of a test's own."""

from collections.abc import Iterator
from typing import Any

import pytest

from entries.kinds import registry as kinds
from entries.sources import registry as sources
from tests.support.http import LocalServer


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with LocalServer() as running:
        yield running


@pytest.fixture
def this_machine_is_allowed(settings: Any) -> None:
    settings.REDRIVE_ALLOW_PRIVATE_ADDRESSES = False
    settings.REDRIVE_ALLOWED_NETWORKS = ["127.0.0.1/32"]


@pytest.fixture
def private_addresses(settings: Any) -> None:
    settings.REDRIVE_ALLOW_PRIVATE_ADDRESSES = True


@pytest.fixture
def own_registries(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Copies, so that a test's kinds are gone with it."""
    for registry in (kinds, sources):
        monkeypatch.setattr(registry, "_classes", dict(registry._classes))
    kinds.instance_of.cache_clear()
    sources._instance_of.cache_clear()
    yield
    kinds.instance_of.cache_clear()
    sources._instance_of.cache_clear()
