from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache

from tests.admin.browsing import Browser
from tests.conftest import grant
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
def at_desk(operator: "User") -> Browser:
    return Browser(operator)


@pytest.fixture
def redis_away(tmp_path: Path) -> Iterator[None]:
    """Nobody listens where Redis should be."""
    with redis_at(f"unix://{tmp_path}/nobody.sock?db=0"):
        yield


@pytest.fixture
def foreman(operator: "User") -> Browser:
    """The operator, who may also discard and look at operations."""
    return Browser(grant(operator, "entries.discard_entry", "retry.view_operation"))


@pytest.fixture
def folder(uploads: Path) -> Path:
    """Where uploads wait."""
    return uploads


@pytest.fixture
def importer(folder: Path, operator: "User") -> Browser:
    return Browser(grant(operator, "entries.submit_entry", "entries.export_entry"))
