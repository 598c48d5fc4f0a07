"""Defaults for the settings that a project leaves out."""

from types import ModuleType

from django.conf import settings


def apply_defaults(table: ModuleType) -> None:
    """Give each setting in ``table`` that the project does not have its default.

    Called when the app is loaded, before its models and everything else that reads settings.
    """
    for name, default in vars(table).items():
        if name.isupper() and not is_set(name):
            setattr(settings, name, default)


def is_set(name: str) -> bool:
    """Return whether the project's own settings have ``name``."""
    return bool(settings.is_overridden(name))  # type: ignore[misc] # unstubbed
