from contextlib import suppress

from django.apps import AppConfig
from django.conf import settings


class EntriesConfig(AppConfig):
    name = "entries"

    def ready(self) -> None:
        from entries import checks  # noqa: F401 - registers the system checks
        from entries.kinds import registry as kinds
        from entries.sources import registry as sources
        from entries.sql import checks as sql_checks  # noqa: F401 - registers a system check

        kinds.load()
        sources.load()
        for package in settings.REDRIVE_KIND_MODULES:
            with suppress(ImportError):  # a system check says which and why
                kinds.load(package)
