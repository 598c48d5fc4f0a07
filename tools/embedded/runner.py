"""A command with its servers around it; none of them outlives it."""

import os
import shutil
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tools.embedded.errors import EmbeddedError, FolderInUseError
from tools.embedded.postgres import PostgresServer
from tools.embedded.redis import RedisServer
from tools.embedded.server import Server
from tools.embedded.signals import Relay
from tools.embedded.temporary import temporary_folder
from tools.embedded.terminal import tell

JOIN_WITHIN = 60.0


def run(command: Sequence[str], *, folder: Path | None) -> int:
    """Run `command` and return its exit code, or 128 + N when signal N ended it.

    `folder` None means temporary data. A server whose URL is in the environment is used and not
    started; one that another command already runs in `folder` is shared.
    """
    if shutil.which(command[0]) is None:  # First, so that a typo does not cost a start.
        raise EmbeddedError(f"{command[0]}: no such command")
    with Relay() as relay, ExitStack() as stack:
        try:
            home = stack.enter_context(temporary_folder()) if folder is None else folder.resolve()
            home.mkdir(parents=True, exist_ok=True)
            servers = _provide(home, stack, durable=folder is not None)
            urls = {variable: server.url for variable, server in servers.items()}
            env = {**os.environ, **urls, "DATA_DIR": str(home)}
            code = relay.run(command, env=env, servers=list(servers.values()))
        except PermissionError as error:
            raise EmbeddedError(f"{error.filename}: {error.strerror}") from error
        finally:
            relay.deafen()  # What follows is the servers' stop, which is bounded in time.
    return code if code >= 0 else 128 - code


def _provide(home: Path, stack: ExitStack, *, durable: bool) -> dict[str, Server]:
    """Start servers that the environment does not name; return them by their variables."""
    wanted: dict[str, Server] = {
        "DATABASE_URL": PostgresServer(home / "postgres", durable=durable),
        "REDIS_URL": RedisServer(home / "redis", durable=durable),
    }
    servers = {key: server for key, server in wanted.items() if not os.environ.get(key)}
    for server in servers.values():
        started = time.monotonic()
        stack.callback(server.stop)
        start_or_join(server)
        _report(server, time.monotonic() - started)
    return servers


def start_or_join(server: Server) -> None:
    """Start it, or wait for the one that another command runs in the same folder."""
    deadline = time.monotonic() + JOIN_WITHIN
    while True:
        try:
            return server.start()
        except FolderInUseError as error:
            if server.answers():
                return None
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"{error} Its {server.name} does not answer: wait until it ends, "
                    "or choose another folder with --data."
                ) from error
            time.sleep(0.1)


def _report(server: Server, seconds: float) -> None:
    how = f"started in {seconds:.1f} s" if server.running else "shared with a running command"
    tell(f"{server.name} {how} ({server.folder})")
