"""Where files are kept: uploads, and what the browser gets."""

from pathlib import Path
from typing import Any

_FILE_SYSTEM = "django.core.files.storage.FileSystemStorage"


def build_storages(*, uploads: Path, hashed: bool) -> dict[str, dict[str, Any]]:
    """``hashed``: static files have their hash in the name, which takes ``collectstatic``."""
    return {
        "default": {"BACKEND": _FILE_SYSTEM},
        "uploads": {
            "BACKEND": _FILE_SYSTEM,
            "OPTIONS": {
                "location": uploads,
                "file_permissions_mode": 0o640,
                "directory_permissions_mode": 0o750,
            },
        },
        "staticfiles": {
            "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if hashed
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        },
    }
