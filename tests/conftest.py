"""What every test may use: users, a clean Redis, and the outside world kept out."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Permission

from entries.kinds.receivers import RECEIVERS
from entries.net.pool import POOL
from entries.net.resolver import RESOLVER
from retry import queue
from retry.admin.registrations import load_pages
from tests.factories.users import UserFactory
from tests.support.browser import pytest_terminal_summary
from tests.support.databases import copying_once
from tests.support.emptying import emptying_by_row
from tests.support.garbage import leave_out_what_is_there, look_seldom
from tests.support.rabbit import RabbitServer, rabbit_server
from tests.support.shops import Shop

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django.fixtures import Settings


__all__ = ["pytest_terminal_summary"]  # a hook: it says loudly that Chromium is missing

OPERATOR = (
    "entries.view_entry",
    "entries.view_payload",
    "entries.retry_entry",
    "entries.resync_entry",
    "entries.view_source",
    "entries.sync_source",
    "retry.view_status",
    "retry.view_sync",
)


#: Seconds of a test that says nothing else; see pyproject.toml.
_USUAL_TIMEOUT = 180


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, which may be told by its timeout: at the end of a run, the
    other processes would have nothing to do. All else stays in random order."""
    items.sort(key=_is_quick)


def pytest_collection_finish() -> None:
    leave_out_what_is_there()


def _is_quick(item: pytest.Item) -> bool:
    mark = item.get_closest_marker("timeout")
    return mark is None or bool(mark.args[0] <= _USUAL_TIMEOUT)


look_seldom()
load_pages()  # a process loads them with its addresses; some tests look at the pages alone


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    """A hook of pytest-django's, around the making of the database."""
    with copying_once(request.config, tmp_path_factory.getbasetemp().parent):
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_flush() -> Iterator[None]:
    with emptying_by_row():
        yield


@pytest.fixture(autouse=True)
def clean_redis() -> Iterator[None]:
    """Each test process has a Redis database of its own; each test finds it empty."""
    queue.get_client().flushdb()
    yield
    queue.get_client().flushdb()


@pytest.fixture(autouse=True)
def fresh_network() -> Iterator[None]:
    """No connection, name or endpoint outlives a test: the next one has others."""
    yield
    POOL.forget()
    RESOLVER.forget()
    RECEIVERS.forget()


@cache
def _find_permission(name: str) -> int:
    """No test changes them: each is looked up once."""
    app, codename = name.split(".")
    return Permission.objects.get(content_type__app_label=app, codename=codename).id


def grant(user: "User", *permissions: str) -> "User":
    """``app.codename`` each; returns the user without its cache of permissions."""
    user.user_permissions.add(*(_find_permission(name) for name in permissions))
    return type(user).objects.get(pk=user.pk)


@pytest.fixture
def operator(db: None) -> "User":
    """Staff who may see entries and retry them."""
    return grant(UserFactory.create(username="operator", is_staff=True), *OPERATOR)


@pytest.fixture
def reader(db: None) -> "User":
    """Staff who may see entries and nothing else."""
    return grant(UserFactory.create(username="reader", is_staff=True), "entries.view_entry")


@pytest.fixture
def powerless(db: None) -> "User":
    """Staff without any permission."""
    return UserFactory.create(username="powerless", is_staff=True)


@pytest.fixture
def chief(db: None) -> "User":
    """Everything."""
    return UserFactory.create(username="chief", is_staff=True, is_superuser=True)


@pytest.fixture
def uploads(settings: "Settings", tmp_path: Path) -> Path:
    """The folder of the storage for uploads."""
    folder = tmp_path / "uploads"
    own = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": folder},
    }
    settings.STORAGES = {**settings.STORAGES, "uploads": own}
    return folder


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "shelf.json")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A file in which kinds for tests note their executions."""
    return tmp_path / "ledger"


@pytest.fixture(scope="session")
def rabbit() -> Iterator[RabbitServer]:
    """Starting it takes a third of a minute: tests of it are marked with ``needs_rabbit``."""
    with rabbit_server() as server:
        yield server
