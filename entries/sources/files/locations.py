"""Files that sources and imports are read from: uploads, and paths in folders allowed for it.

Staff can edit sources and must not read the server's other files through them.
"""

import io
import os
import stat
from pathlib import Path
from typing import BinaryIO, cast

from django.conf import settings

from entries.errors import SourceError
from entries.masking import mask_address
from entries.sources.files import uploads

#: Up to this size in bytes a file is read through once beforehand: to count its rows, and to find
#: what is broken before anything is stored.
READ_AHEAD = 200_000_000


def open_file(location: str) -> BinaryIO:
    """Open a file for reading.

    Raises ``SourceError`` with ``not_found``, ``not_allowed``, ``not_a_file`` or ``unreadable``.
    """
    try:
        if location.startswith(uploads.PREFIX):
            return _open_upload(location)
        return _open_path(_resolve(location))
    except FileNotFoundError as error:
        raise SourceError("not_found", f"there is no file {_quote(location)}") from error
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise SourceError("unreadable", f"{_quote(location)} cannot be read: {why}") from error


def find_location_problems(location: str) -> list[str]:
    try:
        open_file(location).close()
    except SourceError as error:
        return [str(error)]
    return []


def measure_size(file: BinaryIO) -> int:
    """Return the size in bytes; leave the file at its beginning."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    return size


def _open_upload(location: str) -> BinaryIO:
    name = uploads.parse_name(location)
    if name is None:
        raise SourceError("not_allowed", f"{_quote(location)} is not the name of an uploaded file")
    return cast("BinaryIO", uploads.storage().open(name, "rb").file)


def _resolve(location: str) -> Path:
    """Return the path behind ``location`` with all links followed, if it may be read."""
    folders = [Path(name) for name in settings.REDRIVE_SOURCE_DIRS]
    try:
        path = Path(location)
        real = path.resolve()
        inside = any(real.is_relative_to(folder.resolve()) for folder in folders)
    except (RuntimeError, ValueError) as error:
        raise SourceError("not_allowed", f"{_quote(location)} is not a path") from error
    if not path.is_absolute() or not inside:
        # The same answer for files that exist and files that do not: it must not tell which.
        known = ", ".join(map(str, folders)) or "none"
        raise SourceError(
            "not_allowed",
            f"{_quote(location)} is not the full path of a file in a folder that sources may be "
            f"read from; REDRIVE_SOURCE_DIRS names those (now: {known})",
        )
    return real


def _open_path(path: Path) -> BinaryIO:
    # The path is resolved, so a link here is a new one (O_NOFOLLOW); a pipe would never end.
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise SourceError("not_a_file", f"{_quote(str(path))} is not an ordinary file")
    return os.fdopen(number, "rb")


def _quote(location: str) -> str:
    return repr(mask_address(location)[:200])
