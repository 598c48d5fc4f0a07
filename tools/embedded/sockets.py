"""Where a server's Unix socket lies: in its own folder, or in a short one when that is too long."""

import contextlib
import hashlib
import os
import stat
import tempfile
from pathlib import Path

from tools.embedded.errors import EmbeddedError

# Bytes that fit into sockaddr_un.sun_path, without the closing zero: 107 on Linux, 103 on macOS.
LONGEST = 103


def fits(socket: Path) -> bool:
    """A comma does not fit either: libpq and PostgreSQL read it as the next of several folders."""
    return len(os.fsencode(socket)) <= LONGEST and "," not in str(socket)


def socket_folder(home: Path, name: str) -> Path:
    """The folder for socket `name` of the server that lives in `home`; the same at every call."""
    if fits(home / name):
        return home
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    # The second is short on every system; what is made in it is checked in make_socket_folder.
    for base in (Path(tempfile.gettempdir()).resolve(), Path("/tmp")):  # noqa: S108
        folder = base / f"redrive-socket-{os.geteuid()}-{digest}"
        if fits(folder / name):
            return folder
    raise EmbeddedError(f"No folder with a path short enough for the Unix socket of {home}.")


def make_socket_folder(folder: Path, owner: int) -> None:
    """Make it, for `owner` alone. Refuses one that somebody else laid out under the same name."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), owner}:
        raise EmbeddedError(f"{folder} is not ours: remove it, or set TMPDIR to another folder.")
    folder.chmod(0o700)
    if found.st_uid != owner:
        os.chown(folder, owner, -1)
