"""How the desk is doing: what the status API and the admin's pages both show."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from entries.states import EntryStatus
from retry import queue
from retry.errors import QueueUnavailable
from retry.holds.standing import standing
from retry.models import Heartbeat, Hold
from retry.waiting import startable

#: A dispatcher that has been silent for longer is not at work.
SILENCE = timedelta(seconds=10)


#: Counting stops here: more says the same, and every page asks.
_MANY = 10_000


@dataclass(frozen=True, slots=True)
class Status:
    """``queues`` and ``workers`` are None where Redis cannot be reached."""

    entries: dict[str, int]
    queues: dict[str, int] | None
    workers: list[queue.WorkerView] | None
    heartbeat: Heartbeat | None
    #: Runs that wait for the dispatcher because Redis was away.
    undispatched: int
    oldest_queued_at: datetime | None
    holds: tuple[Hold, ...]

    @property
    def redis(self) -> bool:
        return self.queues is not None

    @property
    def dispatcher_alive(self) -> bool:
        return self.heartbeat is not None and timezone.now() - self.heartbeat.beat_at < SILENCE

    @property
    def idle_queues(self) -> list[str]:
        """Queues that no worker listens to."""
        served = {name for worker in self.workers or () for name in worker.queues}
        return [name for name in settings.RQ_QUEUES if name not in served]


def read(*, counting: bool = True) -> Status:
    """Without ``counting``, cheap enough for every page: ``entries`` is then empty."""
    queues: dict[str, int] | None
    workers: list[queue.WorkerView] | None
    try:
        queues, workers = queue.lengths(tuple(settings.RQ_QUEUES)), queue.workers()
    except QueueUnavailable:
        queues, workers = None, None
    waiting = startable()
    return Status(
        entries=counts() if counting else {},
        queues=queues,
        workers=workers,
        heartbeat=Heartbeat.objects.filter(name=Heartbeat.DISPATCHER).first(),
        undispatched=waiting.filter(dispatches=0)[:_MANY].count(),
        oldest_queued_at=waiting.order_by("created_at")
        .values_list("created_at", flat=True)
        .first(),
        holds=tuple(standing()),
    )


def counts() -> dict[str, int]:
    """Entries by status, with zeros."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT status, count(*) FROM entries_entry GROUP BY status")
        found = dict(cursor.fetchall())
    return {status.value: found.get(status.value, 0) for status in EntryStatus}
