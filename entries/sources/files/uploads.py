"""Files that staff upload: stored under random names, shared by web and workers."""

import re
import uuid
from functools import partial
from pathlib import Path, PurePath

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.db import transaction
from django.utils.text import slugify

from entries.models import Source

PREFIX = "upload:"
_NAME = re.compile(r"[0-9a-f]{32}-[a-z0-9_-]{1,80}(?:\.[a-z0-9]{1,10})?")


def storage() -> Storage:
    """Return the project's storage called "uploads", or else one in a folder."""
    if "uploads" in settings.STORAGES:
        return storages["uploads"]
    return FileSystemStorage(
        find_folder(), file_permissions_mode=0o640, directory_permissions_mode=0o750
    )


def find_folder() -> Path:
    """Return the folder of uploads, unless the project has a storage for them."""
    named = settings.REDRIVE_UPLOAD_DIR
    return Path(named or Path(settings.BASE_DIR, ".data", "uploads"))  # type: ignore[misc] # a check asks for it


def new_location(original: str) -> str:
    """Return a new location for a file called ``original``; no two files share one."""
    path = PurePath(original.replace("\\", "/"))
    stem = slugify(path.stem)[:80] or "file"
    ending = path.suffix.lower()
    ending = ending if re.fullmatch(r"\.[a-z0-9]{1,10}", ending) else ""
    return f"{PREFIX}{uuid.uuid4().hex}-{stem}{ending}"


def parse_name(location: str) -> str | None:
    """Return the name in the storage, or None where ``location`` is not an upload."""
    name = location.removeprefix(PREFIX)
    return name if location.startswith(PREFIX) and _NAME.fullmatch(name) else None


def display_name(location: str) -> str:
    """Return the file's original name, shortened; empty where ``location`` is not an upload."""
    name = parse_name(location)
    return name[33:] if name else ""


def store(location: str, content: "File[bytes]") -> None:
    name = parse_name(location)
    if name is None or storage().save(name, content) != name:
        raise ValueError(f"not a new location: {location!r}")


def remove(location: str) -> None:
    if name := parse_name(location):
        storage().delete(name)


def remove_when_unused(location: str) -> None:
    """Remove an upload once the open transaction commits, unless a source still reads it."""
    if parse_name(location):
        transaction.on_commit(partial(_remove_unused, location), robust=True)


def _remove_unused(location: str) -> None:
    if not Source.objects.filter(location=location).exists():
        remove(location)
