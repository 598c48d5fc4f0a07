"""The common part of the peers: databases of their own in the same Redis."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings
from redis import Redis

from config.env import redis_database

HERE = Path(__file__).parent
RQ, CELERY, BULLMQ = 1, 2, 3


def address(database: int) -> str:
    return redis_database(settings.REDIS_URL, database)


def client(database: int) -> "Redis":
    return Redis.from_url(address(database))


def parts(database: int) -> dict[str, Any]:
    """Return the connection as ioredis takes it."""
    split = urlsplit(address(database))
    if split.scheme == "unix":
        number = parse_qs(split.query)["db"][0]
        return {"path": unquote(split.path), "db": int(number)}
    login = {"username": split.username, "password": split.password}
    known = {key: unquote(value) for key, value in login.items() if value}
    return {"host": split.hostname, "port": split.port or 6379, "db": database, **known}


def read_output(command: Sequence[str | Path], *, timeout: float = 600) -> str:
    """Run a command and return its last line of output. Raises with its standard error."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=HERE.parent.parent,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command}: exit code {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout.strip().splitlines()[-1]
