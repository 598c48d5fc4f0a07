"""Which dispatcher acts: a lease in a row, by the database's clock.

A lock of a session would last as long as its session does, which is for ever where the holder is
stopped or cut off. A lease lapses by itself.
"""

import os
import socket
import time
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any
from uuid import uuid4

from django.db import connection
from django.db.models.functions import Now

from retry.models import Heartbeat

LEASE_SECONDS = 10.0
#: It is not renewed more often than this, however many steps a tick has.
_RENEW_SECONDS = 1.0

_TAKE = """
INSERT INTO retry_heartbeat AS b
    (name, host, pid, started_at, beat_at, last_tick, holder, lease_until)
VALUES (%(name)s, %(host)s, %(pid)s, %(started_at)s, clock_timestamp(), '{}', %(holder)s,
        clock_timestamp() + make_interval(secs => %(lease)s))
ON CONFLICT (name) DO UPDATE
SET host = EXCLUDED.host, pid = EXCLUDED.pid, started_at = EXCLUDED.started_at,
    beat_at = EXCLUDED.beat_at, holder = EXCLUDED.holder, lease_until = EXCLUDED.lease_until
WHERE b.holder = EXCLUDED.holder OR b.lease_until IS NULL OR b.lease_until < clock_timestamp()
RETURNING true
"""


class LeadershipLost(Exception):
    """Another dispatcher has taken over: stop acting."""


class Leadership:
    """One process's claim to be the dispatcher that acts."""

    def __init__(self, *, started_at: datetime, holder: str = "") -> None:
        self._holder = holder or _this_process(os.getpid())
        self._started_at = started_at
        self._renewed = (float("-inf"), float("-inf"))

    def take(self) -> bool:
        """Take or renew the lease; False where another holds it. Never within a transaction: a
        process that is stopped in one would keep the row locked.
        """
        asked = (time.monotonic(), time.time())
        with connection.cursor() as cursor:
            cursor.execute(
                _TAKE,
                {
                    "name": Heartbeat.DISPATCHER,
                    "host": socket.gethostname()[:200],
                    "pid": os.getpid(),
                    "started_at": self._started_at,
                    "holder": self._holder,
                    "lease": LEASE_SECONDS,
                },
            )
            taken = cursor.fetchone() is not None
        self._renewed = asked if taken else (float("-inf"), float("-inf"))
        return taken

    def keep(self) -> None:
        """Renew the lease where it is time. Raises ``LeadershipLost``."""
        # The one clock stands still while a machine sleeps, the other one may be set.
        passed = (time.monotonic() - self._renewed[0], abs(time.time() - self._renewed[1]))
        if max(passed) >= _RENEW_SECONDS and not self.take():
            raise LeadershipLost

    def note(self, tick: Mapping[str, Any]) -> None:
        """Write down what the last tick did, for those who watch."""
        held = Heartbeat.objects.filter(name=Heartbeat.DISPATCHER, holder=self._holder)
        held.update(last_tick=dict(tick), beat_at=Now())

    def give_up(self) -> None:
        """Let the next one take over at once."""
        held = Heartbeat.objects.filter(name=Heartbeat.DISPATCHER, holder=self._holder)
        held.update(lease_until=None)


@cache
def _this_process(pid: int) -> str:
    return f"{pid}-{uuid4().hex}"
