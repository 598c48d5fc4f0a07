"""Gauges: the state of the desk now, read in one statement and kept for some seconds."""

import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.db import DatabaseError, connection

from entries.budget import time_budget
from entries.lists import COUNTED_STATUSES
from entries.sql import load
from entries.states import EntryStatus
from retry import heartbeats, queue
from retry.errors import QueueUnavailable
from retry.intakes.handover import QUEUE
from retry.models import Heartbeat
from retry.runs.backlog import WAITS, build_wait_params

#: For the statement; it takes a hundredth of that.
BUDGET_SECONDS = 1.0

_SQL = load(__file__, include={**WAITS, **COUNTED_STATUSES})

Labels = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Gauges:
    """Values by name and labels; ``jobs`` by queue, None where Redis cannot be reached."""

    values: Mapping[str, Mapping[Labels, float]] = field(default_factory=dict)
    jobs: Mapping[str, int] | None = None


class GaugeCache:
    """Reads gauges at most once in ``REDRIVE_METRICS_SECONDS``, however many scrape at once.

    What could not be read is not tried again by each of them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._known: Gauges | DatabaseError = Gauges()

    def get(self) -> Gauges:
        """Return the gauges of a moment ago. Raises ``DatabaseError``."""
        with self._lock:  # those who wait take what the first one has read
            if time.monotonic() - self._read_at >= settings.REDRIVE_METRICS_SECONDS:
                try:
                    self._known = read_gauges()
                except DatabaseError as error:
                    self._known = error
                self._read_at = time.monotonic()
            if isinstance(self._known, DatabaseError):
                raise self._known.with_traceback(None)
            return self._known


GAUGES = GaugeCache()


def read_gauges() -> Gauges:
    """Read all gauges. Raises ``OutOfTime`` and other errors of the database, none of Redis."""
    params = {
        "statuses": [status.value for status in EntryStatus],
        "sync_queue": QUEUE,
        "silence": heartbeats.SILENCE.total_seconds(),
        "dispatcher": Heartbeat.DISPATCHER,
        **build_wait_params(),
    }
    found: dict[str, dict[Labels, float]] = defaultdict(dict)
    with time_budget(BUDGET_SECONDS), connection.cursor() as cursor:
        cursor.execute(_SQL["gauges"], params)
        for name, first, second, value in cursor.fetchall():
            # The queue of syncs has waits of two tables.
            known = found[name].get((first, second), 0.0)
            found[name][first, second] = max(known, float(value))
    jobs: Mapping[str, int] | None
    try:
        jobs = queue.count_jobs(tuple(settings.REDRIVE_QUEUES))
    except QueueUnavailable:
        jobs = None
    return Gauges(found, jobs)
