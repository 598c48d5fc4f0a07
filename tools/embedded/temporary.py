"""Temporary folders of commands, and the removal of those whose owner was killed."""

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tools.embedded.errors import EmbeddedError
from tools.embedded.locks import FolderLock
from tools.embedded.postgres import PostgresServer
from tools.embedded.redis import RedisServer

PREFIX = "redrive-temporary-"

# A younger one may belong to a command that is just about to take the lock.
SETTLED_AFTER = 60.0


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    sweep(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
    lock = _lock(folder)
    lock.acquire()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()


def sweep(base: Path) -> list[Path]:
    """Stop and remove what killed commands left in `base`; return what was removed.

    Skips folders that belong to another user, are in use, or are too young to be sure.
    """
    removed = []
    for folder in base.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, EmbeddedError):
            if time.time() - folder.stat().st_mtime < SETTLED_AFTER:
                continue
            lock = _lock(folder)
            lock.acquire()
            try:
                for server in temporary_servers(folder):
                    server.stop_leftover()
                shutil.rmtree(folder)
                removed.append(folder)
            finally:
                lock.release()
    return removed


def temporary_servers(folder: Path) -> tuple[PostgresServer, RedisServer]:
    return (
        PostgresServer(folder / "postgres", durable=False),
        RedisServer(folder / "redis", durable=False),
    )


def _lock(folder: Path) -> FolderLock:
    # Inside, so that it is removed with the folder.
    return FolderLock(folder / "owner")
