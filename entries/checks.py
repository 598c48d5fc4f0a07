"""What ``manage.py check`` reports, so that mistakes show before the first entry meets them."""

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks

from entries.kinds.registry import KINDS
from entries.registry import WORK, Registry, import_modules
from entries.sources.registry import SOURCE_KINDS


@checks.register(checks.Tags.compatibility, WORK)
def check_kinds(**_: Any) -> list[checks.CheckMessage]:
    return [
        *_check_classes(KINDS, id="entries.E001"),
        *_check_descriptions(),
        *_check_classes(SOURCE_KINDS, id="entries.E002"),
    ]


@checks.register(checks.Tags.compatibility, WORK)
def check_modules(**_: Any) -> list[checks.CheckMessage]:
    """Report modules that cannot be imported: their kinds would only show as unknown on entries."""
    found: list[checks.CheckMessage] = []
    for name in settings.REDRIVE_KIND_MODULES:
        try:
            import_modules(name)
        except Exception as error:  # noqa: BLE001 - a module may raise anything when imported
            found.append(
                checks.Error(
                    f"{name!r} in REDRIVE_KIND_MODULES cannot be imported: {error}",
                    hint="Name packages of this project or installed ones, with dots.",
                    id="entries.E003",
                )
            )
    return found


@checks.register(checks.Tags.security, WORK)
def check_networks(**_: Any) -> list[checks.CheckMessage]:
    """Report what is not a network: every fetch would fail on it."""
    found: list[checks.CheckMessage] = []
    for network in settings.REDRIVE_ALLOWED_NETWORKS:
        try:
            ip_network(network)
        except ValueError as error:
            found.append(checks.Error(f"REDRIVE_ALLOWED_NETWORKS: {error}.", id="entries.E004"))
    return found


@checks.register(checks.Tags.security, WORK)
def check_source_folders(**_: Any) -> list[checks.CheckMessage]:
    """Report relative folders: each process would read another one."""
    return [
        checks.Error(
            f"REDRIVE_SOURCE_DIRS: {folder!r} is not an absolute path.",
            hint="Separate several folders by commas: /srv/exports,/srv/imports",
            id="entries.E005",
        )
        for folder in settings.REDRIVE_SOURCE_DIRS
        if not Path(folder).is_absolute()
    ]


def _check_classes(registry: Registry[Any], *, id: str) -> Iterator[checks.CheckMessage]:  # noqa: A002 - Django's word
    for name, cls, problem in registry.problems():
        yield checks.Error(f"The {registry.noun} {name!r}: {problem}.", obj=cls, id=id)


def _check_descriptions() -> Iterator[checks.CheckMessage]:
    for name, cls in KINDS.classes().items():
        if not cls.description:
            yield checks.Warning(
                f"The kind {name!r} has no description: staff will not know what it does.",
                obj=cls,
                id="entries.W001",
            )
