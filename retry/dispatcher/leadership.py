"""Which dispatcher acts: the one with the lease, by the database's clock.

A session's lock lasts as long as the session, which is forever where its holder is stopped or cut
off. A lease expires.
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

from entries.sql import load
from retry.models import Heartbeat

_SQL = load(__file__)

LEASE_SECONDS = 10.0
#: The lease is renewed at most this often, however many steps a tick has.
_RENEW_SECONDS = 1.0


class LeadershipLost(Exception):
    """Another dispatcher has taken over, so this one must stop acting."""


class Leadership:
    """One process's lease to be the dispatcher that acts."""

    def __init__(self, *, started_at: datetime, holder: str = "") -> None:
        self._holder = holder or _name_process(os.getpid())
        self._started_at = started_at
        self._renewed = (float("-inf"), float("-inf"))

    def take(self) -> bool:
        """Take or renew the lease; False where another process holds it.

        Never in a transaction: a process that is stopped in one would keep the row locked.
        """
        now = (time.monotonic(), time.time())
        with connection.cursor() as cursor:
            cursor.execute(
                _SQL["take_lease"],
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
        self._renewed = now if taken else (float("-inf"), float("-inf"))
        return taken

    def keep(self) -> None:
        """Renew the lease where it is due. Raises ``LeadershipLost``."""
        # The monotonic clock stops while a machine sleeps; the other clock may be set.
        passed = (time.monotonic() - self._renewed[0], abs(time.time() - self._renewed[1]))
        if max(passed) >= _RENEW_SECONDS and not self.take():
            raise LeadershipLost

    def save_tick(self, tick: Mapping[str, Any]) -> None:
        """Store what the last tick did, for the status pages."""
        held = Heartbeat.objects.filter(name=Heartbeat.DISPATCHER, holder=self._holder)
        held.update(last_tick=dict(tick), beat_at=Now())

    def give_up(self) -> None:
        """Let the next dispatcher take over at once."""
        held = Heartbeat.objects.filter(name=Heartbeat.DISPATCHER, holder=self._holder)
        held.update(lease_until=None)


@cache
def _name_process(pid: int) -> str:
    return f"{pid}-{uuid4().hex}"
