"""The place of a server's Unix socket: its own folder, or a shorter path if that is too long."""

import contextlib
import hashlib
import os
import stat
import tempfile
from pathlib import Path

from tools.embedded.errors import EmbeddedError

# Bytes in sockaddr_un.sun_path without the closing zero: 107 on Linux, 103 on macOS.
LONGEST = 103


def fits(socket: Path) -> bool:
    """Tell whether the path is usable; libpq and PostgreSQL would split it at a comma."""
    return len(os.fsencode(socket)) <= LONGEST and "," not in str(socket)


def socket_folder(home: Path, name: str) -> Path:
    """Return the folder for socket `name` of the server in `home`; the same at every call."""
    if fits(home / name):
        return home
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    # The second is short on every system; make_socket_folder checks what is in it.
    for base in (Path(tempfile.gettempdir()).resolve(), Path("/tmp")):  # noqa: S108
        folder = base / f"redrive-socket-{os.geteuid()}-{digest}"
        if fits(folder / name):
            return folder
    raise EmbeddedError(f"No folder with a path short enough for the Unix socket of {home}.")


def make_socket_folder(folder: Path, owner: int) -> None:
    """Make it for `owner` alone. Refuses an existing one that belongs to another account."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), owner}:
        raise EmbeddedError(f"{folder} is not ours: remove it, or set TMPDIR to another folder.")
    folder.chmod(0o700)
    if found.st_uid != owner:
        os.chown(folder, owner, -1)
