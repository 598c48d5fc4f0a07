"""What PostgreSQL and Redis each say about runs, syncs and imports, as plain values."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import connection

from retry import queue
from retry.intakes import rows
from retry.runs.backlog import find_queued_jobs
from retry.runs.job_ids import dispatch_job_id

#: A run's or an import's id, or a sync's.
WorkId = UUID | int

#: Runs that are read at once.
PART = 2_000


@dataclass(frozen=True, slots=True)
class WaitingRun:
    """A run, sync or import that PostgreSQL says is queued, and its last job's id."""

    id: WorkId
    job_id: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """``waiting`` and ``taken`` are job ids that Redis holds. ``whole``: nothing follows it."""

    queued: Sequence[WaitingRun] = ()
    waiting: AbstractSet[str] = frozenset()
    taken: AbstractSet[str] = frozenset()
    whole: bool = True


def observe() -> Iterator[Snapshot]:
    """Read what Redis holds, then what is queued and had a job before, in parts; of the first ones
    some are empty. A part takes some hundredths of a second. Raises
    ``retry.errors.QueueUnavailable``.

    In this order a run that is claimed in between is not queued any more. One that is queued in a
    transaction that was under way looks absent, which is why ``compare`` must see it twice.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (until,) = cursor.fetchone()
    views = queue.observe_in_parts(tuple(settings.REDRIVE_QUEUES))
    view = next(views)
    for following in views:
        yield Snapshot(whole=False)
        view = following
    part: Sequence[WaitingRun] | None = None
    for found in find_queued_jobs(until=until, size=PART):
        if part is not None:
            yield Snapshot(part, view.waiting, view.taken, whole=False)
        part = [WaitingRun(*run) for run in found]
    intakes = (
        WaitingRun(id_, dispatch_job_id(job_id, dispatches=dispatches - 1))
        for waiting in (rows.find_waiting_syncs(), rows.find_waiting_imports())
        for id_, job_id, dispatches in waiting.filter(dispatches__gt=0).values_list(
            "id", "job_id", "dispatches"
        )
    )
    yield Snapshot([*(part or ()), *intakes], view.waiting, view.taken)
