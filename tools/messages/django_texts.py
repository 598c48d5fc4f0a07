"""Texts that Django translates itself, which our catalogs leave to it."""

from functools import cache
from pathlib import Path

import django

from tools.messages.catalogs import Key, key, read_catalog, texts

#: The parts of Django that are installed here; the first is its core.
_FOLDERS = (
    "conf",
    "contrib/admin",
    "contrib/auth",
    "contrib/contenttypes",
    "contrib/humanize",
    "contrib/postgres",
    "contrib/sessions",
)


@cache
def django_texts() -> frozenset[Key]:
    base = Path(django.__file__).parent
    paths = [base / folder / "locale/en/LC_MESSAGES/django.po" for folder in _FOLDERS]
    return frozenset(
        key(message) for path in paths for message in texts(read_catalog(path, language="en"))
    )
