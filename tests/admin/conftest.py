from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache

from tests.admin.browsing import Browser
from tests.conftest import grant
from tests.factories.users import UserFactory
from tests.support.processes import redis_at

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@pytest.fixture(autouse=True)
def fresh_cache() -> Iterator[None]:
    """Counts and alarms are kept for a few seconds; no test sees another's."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def editor(operator: "User") -> "User":
    """The operator, who may also edit entries and sources."""
    return grant(operator, "entries.change_entry", "entries.change_source", "entries.add_source")


@pytest.fixture
def chief(db: None) -> "User":
    """Everything."""
    return UserFactory.create(username="chief", is_staff=True, is_superuser=True)


@pytest.fixture
def at_desk(operator: "User") -> Browser:
    return Browser(operator)


@pytest.fixture
def redis_away(tmp_path: Path) -> Iterator[None]:
    """Nobody listens where Redis should be."""
    with redis_at(f"unix://{tmp_path}/nobody.sock?db=0"):
        yield


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    """Where uploads wait."""
    backend = "django.core.files.storage.FileSystemStorage"
    own = {"BACKEND": backend, "OPTIONS": {"location": tmp_path / "imports"}}
    settings.STORAGES = {**settings.STORAGES, "uploads": own}
    return tmp_path / "imports"


@pytest.fixture
def importer(folder: Path, operator: "User") -> Browser:
    return Browser(grant(operator, "entries.submit_entry", "entries.export_entry"))
