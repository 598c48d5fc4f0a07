"""How the desk is doing: what the status API and the admin's pages both show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import ExpressionWrapper, F, Max, OuterRef, Q, Subquery
from django.db.models.fields import DurationField
from django.db.models.functions import Coalesce, Greatest, Now
from django.utils import timezone

from entries.states import EntryStatus
from retry import heartbeats, queue
from retry.errors import QueueUnavailable
from retry.heartbeats import WorkerView
from retry.holds.overview import list_active
from retry.intakes import rows
from retry.intakes.handover import QUEUE
from retry.models import Heartbeat, Hold
from retry.runs import ramp
from retry.runs.waiting import find_startable

#: A dispatcher that has been silent for longer is not at work.
SILENCE = timedelta(seconds=10)
#: Work that could start and has waited for longer says that something is missing.
PATIENCE = timedelta(seconds=15)

#: What was held has gone on by then; of years of holds only the last ones are looked at.
_RELEASED = timedelta(minutes=10)
#: Counting stops here: more says the same, and every page asks.
_MANY = 10_000


@dataclass(frozen=True, slots=True)
class Status:
    """``queues`` is None where Redis cannot be reached."""

    entries: dict[str, int]
    queues: dict[str, int] | None
    workers: list[WorkerView]
    heartbeat: Heartbeat | None
    #: Runs that wait for the dispatcher because Redis was away.
    undispatched: int
    oldest_queued_at: datetime | None
    holds: tuple[Hold, ...]
    #: By queue: for how long the oldest of what could start has been waiting.
    waits: Mapping[str, timedelta] = field(default_factory=dict)

    @property
    def redis(self) -> bool:
        return self.queues is not None

    @property
    def dispatcher_alive(self) -> bool:
        return self.heartbeat is not None and timezone.now() - self.heartbeat.beat_at < SILENCE

    @property
    def silent_workers(self) -> Sequence[WorkerView]:
        return [worker for worker in self.workers if worker.silent]

    def serving(self, name: str) -> Sequence[WorkerView]:
        """The workers of a queue that are heard of."""
        return [w for w in self.workers if w.queue == name and not w.silent]

    @property
    def idle_queues(self) -> list[str]:
        """Queues that no worker listens to."""
        return [name for name in settings.RQ_QUEUES if not self.serving(name)]

    @property
    def overdue(self) -> Mapping[str, timedelta]:
        """``waits``, of those that have been too long."""
        return {name: wait for name, wait in self.waits.items() if wait > PATIENCE}


def read(*, counting: bool = True) -> Status:
    """Without ``counting``, cheap enough for every page: ``entries`` is then empty."""
    queues: dict[str, int] | None
    try:
        queues = queue.lengths(tuple(settings.RQ_QUEUES))
    except QueueUnavailable:
        queues = None
    waiting = find_startable()
    return Status(
        entries=counts() if counting else {},
        queues=queues,
        workers=heartbeats.workers(),
        heartbeat=Heartbeat.objects.filter(name=Heartbeat.DISPATCHER).first(),
        undispatched=waiting.filter(dispatches=0)[:_MANY].count(),
        oldest_queued_at=waiting.order_by("created_at")
        .values_list("created_at", flat=True)
        .first(),
        holds=tuple(list_active()),
        waits=_waits(),
    )


def _waits() -> Mapping[str, timedelta]:
    """Counted from when it could start: the ramp after a lifted hold, or a resumed operation,
    begins it anew.
    """
    whole = Q(upstream="") | Q(upstream=OuterRef("upstream"))
    released = (
        Hold.objects.filter(Q(kind=OuterRef("kind")) & whole | Q(source=OuterRef("source")))
        .filter(lifted_at__gt=Now() - _RELEASED)
        .order_by("-lifted_at")
        .annotate(free_at=F("lifted_at") + timedelta(seconds=ramp.SECONDS))
        .values("free_at")[:1]
    )
    since = Greatest(
        Coalesce("dispatched_at", "created_at"), "operation__resumed_at", Subquery(released)
    )
    wait = ExpressionWrapper(Now() - F("since"), output_field=DurationField())
    runs = find_startable().annotate(since=since).order_by().values("queue").annotate(w=Max(wait))
    found = {row["queue"]: row["w"] for row in runs}
    oldest = (
        rows.find_waiting_syncs()
        .order_by("pk")
        .annotate(w=ExpressionWrapper(Now() - F("created_at"), output_field=DurationField()))
    )
    for sync in oldest.values_list("w", flat=True)[:1]:
        found[QUEUE] = sync
    return found


def counts() -> dict[str, int]:
    """Entries by status, with zeros."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT status, count(*) FROM entries_entry GROUP BY status")
        found = dict(cursor.fetchall())
    return {status.value: found.get(status.value, 0) for status in EntryStatus}
