"""Short ticks, a server for feeds, and a Celery installation."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings as current

from entries.foreign_celery.results import forget_results
from entries.foreign_celery.sender import _make_app
from entries.models import Source
from retry.worker.patience import shutdown
from tests.support.foreign_celery import ForeignCelery, foreign_celery
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


@pytest.fixture(scope="session")
def installation(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ForeignCelery]:
    _make_app()  # work-horses have it then, and need no second for it
    with foreign_celery(tmp_path_factory.mktemp("shop"), current.REDIS_URL) as shop:
        yield shop


@pytest.fixture
def celery_shop(installation: ForeignCelery, settings: "Settings") -> Iterator[ForeignCelery]:
    settings.REDRIVE_CELERY_HOSTS = installation.places
    settings.REDRIVE_CELERY_DOUBT_SECONDS = 1.0
    installation.empty()
    yield installation
    forget_results()
