from contextlib import suppress

from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from entries import defaults
from entries.conf import apply_defaults

apply_defaults(defaults)


class EntriesConfig(AppConfig):
    name = "entries"
    verbose_name = _("Entries")

    def ready(self) -> None:
        from entries import checks  # noqa: F401 - registers the system checks
        from entries.kinds.registry import KINDS
        from entries.registry import import_modules
        from entries.sources.registry import SOURCE_KINDS
        from entries.sql import checks as sql_checks  # noqa: F401 - registers a system check

        KINDS.load()
        SOURCE_KINDS.load()
        for package in settings.REDRIVE_KIND_MODULES:
            with suppress(ImportError):  # a system check says which and why
                import_modules(package)
