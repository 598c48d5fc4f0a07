"""What is wrong with the kinds, said by ``manage.py check`` instead of by the first entry."""

import importlib
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks

from entries.kinds import registry as kinds
from entries.sources import registry as sources


@checks.register(checks.Tags.compatibility)
def check_kinds(**_: Any) -> list[checks.CheckMessage]:
    return [*_invalid_kinds(), *_invalid_source_kinds()]


@checks.register(checks.Tags.compatibility)
def check_modules(**_: Any) -> list[checks.CheckMessage]:
    """A misspelt module would only show as an unknown kind, on the entries it was meant for."""
    found: list[checks.CheckMessage] = []
    for name in settings.REDRIVE_KIND_MODULES:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - whatever the module does when imported
            found.append(
                checks.Error(
                    f"{name!r} in REDRIVE_KIND_MODULES cannot be imported: {error}",
                    hint="Name packages of this project or installed ones, with dots.",
                    id="entries.E003",
                )
            )
    return found


@checks.register(checks.Tags.security)
def check_networks(**_: Any) -> list[checks.CheckMessage]:
    """A slip here would otherwise show as a failure of every fetch."""
    found: list[checks.CheckMessage] = []
    for network in settings.REDRIVE_ALLOWED_NETWORKS:
        try:
            ip_network(network)
        except ValueError as error:
            found.append(checks.Error(f"REDRIVE_ALLOWED_NETWORKS: {error}.", id="entries.E004"))
    return found


@checks.register(checks.Tags.security)
def check_source_folders(**_: Any) -> list[checks.CheckMessage]:
    """A relative folder would be another one for each process."""
    return [
        checks.Error(
            f"REDRIVE_SOURCE_DIRS: {folder!r} is not an absolute path.",
            hint="Separate several folders by commas: /srv/exports,/srv/imports",
            id="entries.E005",
        )
        for folder in settings.REDRIVE_SOURCE_DIRS
        if not Path(folder).is_absolute()
    ]


def _invalid_kinds() -> Iterator[checks.CheckMessage]:
    for name, cls in kinds.all_kinds().items():
        for problem in kinds.problems_of(cls):
            yield checks.Error(f"The kind {name!r}: {problem}.", obj=cls, id="entries.E001")
        if not cls.description:
            yield checks.Warning(
                f"The kind {name!r} has no description: staff will not know what it does.",
                obj=cls,
                id="entries.W001",
            )


def _invalid_source_kinds() -> Iterator[checks.CheckMessage]:
    for name, cls in sources.all_kinds().items():
        for problem in sources.problems_of(cls):
            yield checks.Error(
                f"The kind of source {name!r}: {problem}.", obj=cls, id="entries.E002"
            )
