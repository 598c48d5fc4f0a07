"""One owner per folder, by a lock that the kernel releases when the owner dies."""

import contextlib
import fcntl
import os
from pathlib import Path

from tools.embedded.errors import EmbeddedError, FolderInUseError


class FolderLock:
    """Guards `folder` through a file beside it, so that the folder itself can be replaced."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder.with_name(f".{folder.name}.lock")
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock, or raise FolderInUseError at once. Harmless when it is held already."""
        if self._descriptor is not None:
            return
        try:
            # Python opens it close-on-exec: a server must not inherit the lock of its owner.
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except PermissionError as error:
            raise EmbeddedError(
                f"{self.path} belongs to another user: run as the user who made it, "
                "or choose another folder with --data."
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise FolderInUseError(self.folder) from error
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None
