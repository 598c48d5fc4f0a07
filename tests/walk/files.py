"""Where the walks upload to."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.test import override_settings


@contextmanager
def uploads_elsewhere() -> Iterator[None]:
    backend = "django.core.files.storage.FileSystemStorage"
    with tempfile.TemporaryDirectory() as folder:
        own = {"BACKEND": backend, "OPTIONS": {"location": folder}}
        with override_settings(STORAGES={**settings.STORAGES, "uploads": own}):
            yield
