"""What ``manage.py check`` says to a project that lacks something."""

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib import admin
from django.core.checks import CheckMessage
from django.test import override_settings
from django.urls import clear_url_caches, include, path

from retry import checks
from retry.defaults import name_queue

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings


def find_ids(found: list[CheckMessage]) -> list[str]:
    return [message.id or "" for message in found]


@pytest.fixture
def addresses(settings: "Settings") -> Iterator[ModuleType]:
    """The URLconf of another project, empty so far."""
    module = ModuleType("tests_addresses")
    module.urlpatterns = []  # type: ignore[attr-defined]
    sys.modules[module.__name__] = module
    settings.ROOT_URLCONF = module.__name__
    clear_url_caches()
    yield module
    del sys.modules[module.__name__]
    clear_url_caches()


def put(module: ModuleType, *patterns: Any) -> None:
    module.urlpatterns = list(patterns)  # type: ignore[attr-defined]
    clear_url_caches()


def test_the_project_itself_lacks_nothing() -> None:
    names = ("queues_are_json", "apps_are_installed", "database_is_postgresql", "api_is_guarded")
    found = [message for name in names for message in getattr(checks, name)(None)]
    found += checks.addresses_are_included(None) + checks.uploads_have_a_folder(None)
    assert found == []


def test_addresses_that_are_missing_or_hidden(addresses: ModuleType, settings: "Settings") -> None:
    desk, pages = include("retry.urls"), admin.site.urls
    put(addresses, path("admin/", pages))
    assert find_ids(checks.addresses_are_included(None)) == ["retry.E005"]
    put(addresses, path("admin/", pages), path("admin/", desk))
    assert find_ids(checks.addresses_are_included(None)) == ["retry.E005"]
    put(addresses, path("admin/", desk), path("admin/", pages))
    assert checks.addresses_are_included(None) == []

    put(addresses, path("office/", desk), path("office/", pages))
    (wrong,) = checks.addresses_are_included(None)
    assert (wrong.id, wrong.hint) == ("retry.E006", "REDRIVE_API_PATH = '/office/api'")
    settings.REDRIVE_API_PATH = "/office/api"
    assert checks.addresses_are_included(None) == []


def test_queues_with_pickles_are_not_ours(settings: "Settings") -> None:
    name = name_queue(settings.REDRIVE_QUEUES[0])
    settings.RQ_QUEUES = settings.RQ_QUEUES | {name: {"URL": settings.REDIS_URL}}
    (wrong,) = checks.queues_are_json(None)
    assert wrong.id == "retry.E002"
    assert name in wrong.msg


def test_apps_and_middleware_that_are_missing(settings: "Settings") -> None:
    settings.MIDDLEWARE = []
    assert find_ids(checks.api_is_guarded(None)) == ["retry.W001"]
    left = [name for name in settings.INSTALLED_APPS if name != "django_htmx"]
    with override_settings(INSTALLED_APPS=left):
        (wrong,) = checks.apps_are_installed(None)
    assert wrong.hint == "INSTALLED_APPS += ['django_htmx']"
