"""One command with its servers around it, and nothing left running when it is over."""

import os
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from config.embedded.errors import EmbeddedError, FolderInUse
from config.embedded.postgres import PostgresServer
from config.embedded.redis import RedisServer
from config.embedded.server import Server
from config.embedded.signals import Relay
from config.embedded.temporary import temporary_folder

JOIN_WITHIN = 60.0


def run(command: Sequence[str], *, folder: Path | None) -> int:
    """Run `command` and return its exit code, or 128 + N when signal N ended it.

    `folder` None means data that go with the command. A server whose URL is in the environment
    is used, not started; one that another command runs in `folder` already is shared.
    """
    if shutil.which(command[0]) is None:  # Asked first: a slip should not cost a start.
        raise EmbeddedError(f"{command[0]}: no such command")
    with Relay() as relay, ExitStack() as stack:
        try:
            home = stack.enter_context(temporary_folder()) if folder is None else folder.resolve()
            home.mkdir(parents=True, exist_ok=True)
            added = _provide(home, stack, durable=folder is not None)
            code = relay.run(command, env={**os.environ, **added, "DATA_DIR": str(home)})
        except PermissionError as error:
            raise EmbeddedError(f"{error.filename}: {error.strerror}") from error
        finally:
            relay.deafen()  # What follows is the servers' stop, which is bounded in time.
    return code if code >= 0 else 128 - code


def _provide(home: Path, stack: ExitStack, *, durable: bool) -> dict[str, str]:
    """Start what the environment does not name; returns the variables that say where it is."""
    servers: dict[str, Server] = {
        "DATABASE_URL": PostgresServer(home / "postgres", durable=durable),
        "REDIS_URL": RedisServer(home / "redis", durable=durable),
    }
    added = {}
    for variable, server in servers.items():
        if os.environ.get(variable):
            continue
        started = time.monotonic()
        stack.callback(server.stop)
        start_or_join(server)
        added[variable] = server.url
        _tell(server, time.monotonic() - started)
    return added


def start_or_join(server: Server) -> None:
    """Start it, or wait for the one that another living command runs in the same folder."""
    deadline = time.monotonic() + JOIN_WITHIN
    while True:
        try:
            return server.start()
        except FolderInUse as error:
            if server.answers():
                return None
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"{error} Its {server.name} does not answer: wait for its end, "
                    "or choose another folder with --data."
                ) from error
            time.sleep(0.1)


def _tell(server: Server, seconds: float) -> None:
    how = f"started in {seconds:.1f} s" if server.running else "shared with a running command"
    print(f"{server.name} {how} ({server.folder})", file=sys.stderr, flush=True)
