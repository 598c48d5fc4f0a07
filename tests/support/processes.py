"""Workers, dispatchers and servers of a test, on the test's own database and Redis."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection

from retry import queue
from tests.support.servers import Spawned, spawn


def child_environment(**changes: str) -> dict[str, str]:
    """For a child that works on this test's database and Redis, with short patience."""
    options = connection.settings_dict
    host = options["HOST"] or options["OPTIONS"].get("host", "")
    port = f":{options['PORT']}" if options["PORT"] else ""
    user = quote(str(options["USER"] or ""), safe="")
    password = f":{quote(str(options['PASSWORD']), safe='')}" if options["PASSWORD"] else ""
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings_test",
        "REDRIVE_ENV": "test",
        "REDRIVE_TEST_CHILD": "1",
        "DATABASE_URL": (
            f"postgresql://{user}{password}@{quote(str(host), safe='')}{port}/{options['NAME']}"
        ),
        "REDIS_URL": settings.REDIS_URL,
        "REDRIVE_LEASE_SECONDS": "1.5",
        "REDRIVE_CLAIM_SECONDS": "2",
        "REDRIVE_TICK_SECONDS": "0.2",
    } | changes


def manage(*args: str | Path, **changes: str) -> Spawned:
    """``manage.py`` with ``args``; use it as a context manager."""
    return spawn(sys.executable, "manage.py", *args, env=child_environment(**changes))


@contextmanager
def listening_worker(queue_name: str, **changes: str) -> Iterator[Spawned]:
    """A worker of the queue that has begun to listen."""
    with manage("worker", queue_name, **changes) as process:
        process.wait_for_output("Listening on")
        yield process


@contextmanager
def dispatching(**changes: str) -> Iterator[Spawned]:
    """A dispatcher that is up."""
    with manage("dispatcher", **changes) as process:
        process.wait_for_output("dispatcher.started")
        yield process


@contextmanager
def redis_at(url: str) -> Iterator[None]:
    """This process's queue on another Redis, and back again."""
    before = settings.REDIS_URL

    def switch(to: str) -> None:
        settings.REDIS_URL = to
        for name in settings.RQ_QUEUES:
            settings.RQ_QUEUES[name]["URL"] = to
        queue.get_client.cache_clear()
        queue._get_hasty_client.cache_clear()
        queue._queue.cache_clear()

    switch(url)
    try:
        yield
    finally:
        queue.get_client().close()
        switch(before)
