"""What a measurement costs PostgreSQL, by what the server itself and Linux have counted."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from entries.sql import load

_SQL = load(str(Path(__file__).with_name("thousand_workers.py")))
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Load:
    """Over ``seconds``: transactions and sessions begun, processors used, rows of runs changed."""

    seconds: float = 0.0
    transactions: float = 0.0
    sessions: float = 0.0
    updates: float = 0.0
    hot_updates: float = 0.0
    rows_read: float = 0.0
    cpu_seconds: float = 0.0

    @property
    def cores(self) -> float:
        return self.cpu_seconds / self.seconds if self.seconds else 0.0

    def per_second(self, value: float) -> float:
        return value / self.seconds if self.seconds else 0.0


@contextmanager
def watch_load() -> Iterator[Load]:
    """Yield an object that has the load of the block once the block has ended."""
    found = Load()
    pid = _find_postmaster()
    before, used = _read(), _read_cpu(pid)
    yield found
    after = _read()
    differences = [late - early for early, late in zip(before, after, strict=True)]
    found.seconds, found.transactions, found.sessions, found.updates = differences[:4]
    found.hot_updates, found.rows_read = differences[4:]
    found.cpu_seconds = _read_cpu(pid) - used


def _read() -> list[float]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        time.sleep(0.1)  # sessions report what they have done when they are idle
        cursor.execute(_SQL["load"])
        return [float(value) for value in cursor.fetchone()]


def _find_postmaster() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_SQL["data_directory"])
        folder = Path(cursor.fetchone()[0])
    return int((folder / "postmaster.pid").read_text().splitlines()[0])


def _read_cpu(postmaster: int) -> float:
    """Read the seconds of all of the server's processes, with those that have ended."""
    total = _read_times(postmaster, fields=slice(13, 17))
    for pid in Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split():
        with suppress(OSError):
            total += _read_times(int(pid), fields=slice(13, 15))
    return total


def _read_times(pid: int, *, fields: slice) -> float:
    # The name in brackets may contain blanks.
    text = Path(f"/proc/{pid}/stat").read_text()
    words = ["", "", *text.rpartition(")")[2].split()]
    return sum(int(word) for word in words[fields]) / _TICKS
