"""Short ticks, and a server for feeds."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from entries.models import Source
from retry.worker.patience import shutdown
from tests.support.http import LocalServer

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings


@pytest.fixture
def short_ticks(settings: "Settings") -> None:
    settings.REDRIVE_TICK_SECONDS = 0.05


@pytest.fixture
def short_patience(short_ticks: None, settings: "Settings") -> None:
    settings.REDRIVE_CLAIM_SECONDS = 0.2


@pytest.fixture
def no_shutdown() -> Iterator[None]:
    """A test may ask the worker of this process to stop; the next test's does not."""
    yield
    shutdown.clear()


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Path]:
    """A file for which kinds wait; it is there at the end, so that nothing waits on."""
    path = tmp_path / "gate"
    yield path
    path.touch()


@pytest.fixture
def server(settings: "Settings") -> Iterator[LocalServer]:
    settings.REDRIVE_ALLOW_PRIVATE_ADDRESSES = True
    with LocalServer() as running:
        yield running


@pytest.fixture
def source(server: LocalServer) -> Source:
    return Source.objects.create(
        slug="news", name="News", kind="feed", location=server.url("/feed"), entry_kind="page"
    )
