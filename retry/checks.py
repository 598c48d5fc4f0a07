"""System checks of what Redrive asks of the project that it is in."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004
from django.db import connection
from django.urls import NoReverseMatch, Resolver404, resolve, reverse

from entries.conf import is_set
from entries.kinds import registry
from entries.registry import WORK
from retry.defaults import name_queue

#: Installed apps whose tags, triggers and lookups ours use.
_APPS = (
    "django.contrib.admin",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django_htmx",
    "pgtrigger",
)
_JSON = "rq.serializers.JSONSerializer"
_MIDDLEWARE = "retry.api.http.middleware.ApiMiddleware"


@register(WORK)
def queues_exist(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:  # noqa: ARG001
    """Report kinds whose queue is not configured: they would fail at the first click."""
    known = ", ".join(settings.REDRIVE_QUEUES)
    return [
        Error(
            f"The kind {name!r} wants the queue {queue!r}, which REDRIVE_QUEUES does not have.",
            hint=f"Use one of: {known}.",
            id="retry.E001",
        )
        for name, kind in registry.all_kinds().items()
        for queue in (kind.queue, kind.bulk_queue)
        if queue not in settings.REDRIVE_QUEUES
    ]


@register(WORK, Tags.compatibility)
def queues_are_json(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:  # noqa: ARG001
    """Report queues that are the project's own by their settings: a pickle can run anything."""
    return [
        Error(
            f"RQ_QUEUES[{name!r}] is a queue of your own: its jobs are not JSON.",
            hint="Give your queue another name, or Redrive's in REDRIVE_QUEUES. Redrive adds its "
            "own queues to RQ_QUEUES.",
            id="retry.E002",
        )
        for name in map(name_queue, settings.REDRIVE_QUEUES)
        if settings.RQ_QUEUES[name].get("SERIALIZER") != _JSON
    ]


@register(Tags.compatibility)
def apps_are_installed(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001
    **kwargs: Any,  # noqa: ARG001
) -> list[CheckMessage]:
    return [
        Error(f"Redrive needs {name!r}.", hint=f"INSTALLED_APPS += [{name!r}]", id="retry.E003")
        for name in _APPS
        if not apps.is_installed(name)
    ]


@register(Tags.compatibility, WORK)
def database_is_postgresql(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001
    **kwargs: Any,  # noqa: ARG001
) -> list[CheckMessage]:
    if connection.vendor == "postgresql":
        return []
    return [
        Error(
            f"Redrive needs PostgreSQL as the default database, not {connection.vendor}.",
            hint='DATABASES["default"]["ENGINE"] = "django.db.backends.postgresql"',
            id="retry.E004",
        )
    ]


@register(Tags.urls)
def addresses_are_included(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001
    **kwargs: Any,  # noqa: ARG001
) -> list[CheckMessage]:
    """Report addresses that are missing, or behind those of the admin, which take all below it."""
    try:
        reverse("admin:retry_status")
        api = reverse("api:nothing").rstrip("/")
        found = resolve(f"{api}/").namespace == "api"
    except (NoReverseMatch, Resolver404):
        found = False
    if not found:
        return [
            Error(
                "The addresses of Redrive are not included, or stand after those of the admin.",
                hint='In the URLconf, directly before path("admin/", admin.site.urls): '
                'path("admin/", include("retry.urls")).',
                id="retry.E005",
            )
        ]
    if api == settings.REDRIVE_API_PATH:
        return []
    return [
        Error(
            f"The API is at {api}, and REDRIVE_API_PATH is {settings.REDRIVE_API_PATH!r}.",
            hint=f"REDRIVE_API_PATH = {api!r}",
            id="retry.E006",
        )
    ]


@register(Tags.compatibility)
def api_is_guarded(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:  # noqa: ARG001
    if _MIDDLEWARE in settings.MIDDLEWARE:
        return []
    return [
        Warning(
            "The API limits no requests and may answer with pages of HTML.",
            hint=f"MIDDLEWARE = [{_MIDDLEWARE!r}, *MIDDLEWARE]",
            id="retry.W001",
        )
    ]


@register(Tags.compatibility)
def uploads_have_a_folder(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001
    **kwargs: Any,  # noqa: ARG001
) -> list[CheckMessage]:
    named = settings.REDRIVE_UPLOAD_DIR or "uploads" in settings.STORAGES
    if named or is_set("BASE_DIR"):
        return []
    return [
        Warning(
            "There is no folder for files that staff upload.",
            hint='Name one that all processes share: REDRIVE_UPLOAD_DIR = "/srv/shop/uploads"',
            id="retry.W002",
        )
    ]
