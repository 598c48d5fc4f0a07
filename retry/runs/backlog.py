"""What waits: runs that may begin, runs without a job, and entries whose retry is due."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from entries.models import Entry
from entries.sql import load
from entries.states import EntryStatus
from retry.models import Run, RunState
from retry.runs import ramp as ramps
from retry.runs.hold_condition import FRAGMENTS, STOPPED, find_active_holds, run_is_held
from retry.runs.job_ids import dispatch_job_id
from retry.runs.ramp import Ramp, WaitingItem

#: Runs by age; those that were created together, by the entries in them.
BY_AGE = ("created_at", "position", "entry_ids__0")
#: How many waiting runs the ramp chooses from.
_RAMP_RUNS = 5_000
_SQL = load(__file__, include=FRAGMENTS)
#: For statements of other modules to include.
WAITS = _SQL.fragments


def find_startable_runs() -> QuerySet[Run]:
    """Find queued runs that may begin: not held, and of no stopped operation."""
    stopped = Q(operation__state__in=STOPPED)
    return Run.objects.filter(state=RunState.QUEUED).exclude(stopped).exclude(run_is_held())


def build_wait_params() -> dict[str, Any]:
    """Return the parameters of the fragments ``WAITS``."""
    return {"ramp": ramps.SECONDS, "stopped": [*map(str, STOPPED)]}


def find_queued_jobs(*, until: datetime, size: int) -> Iterator[Sequence[tuple[UUID, str]]]:
    """Yield the ids and the last jobs' names of the queued runs that may begin and got these jobs
    by ``until``, in parts that ``size`` runs have been read for, and that may be empty.
    """
    queue = _find_next_queue("")
    while queue:
        params: dict[str, Any] = {
            "queue": queue,
            "until": until,
            "limit": size,
            "stopped": [*map(str, STOPPED)],
        }
        place: dict[str, Any] | None = {"at": "-infinity", "id": UUID(int=0)}
        while place:
            with connection.cursor() as cursor:
                cursor.execute(_SQL["queued_jobs"], params | place)
                rows = cursor.fetchall()
            place = {"id": rows[-1][0], "at": rows[-1][-1]} if len(rows) == size else None
            yield [
                (id_, dispatch_job_id(job_id, dispatches=dispatches - 1))
                for id_, job_id, dispatches, may_begin, _ in rows
                if may_begin
            ]
        queue = _find_next_queue(queue)


def _find_next_queue(queue: str) -> str:
    """Return the queue behind this one in which runs wait, empty where there is none."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL["next_queue"], {"queue": queue})
        return cursor.fetchone()[0] or ""


def find_lapsed_runs(*, limit: int) -> list[Run]:
    """Find runs whose worker has not renewed its lease, the longest silence first."""
    found = Run.objects.filter(state=RunState.RUNNING, lease_expires_at__lt=Now())
    return list(found.order_by("lease_expires_at")[:limit])


def find_undispatched_runs(*, limit: int, ramp: Ramp | None = None) -> list[Run]:
    """Find runs without a job, because Redis was away or they were held; the oldest first.

    Of those that waited for a hold that was just lifted, as many as the ``ramp`` allows.
    """
    lifted = (ramp or Ramp({})).describe()
    found = [id_ for id_, *_ in _read_unsent(lifted, limit=limit, ramped=False)]
    if ramp:
        rows = _read_unsent(lifted, limit=_RAMP_RUNS, ramped=True)
        waiting: list[WaitingItem[UUID]] = [WaitingItem(*row) for row in rows]
        found += [item.id for item in ramp.take(waiting, limit=limit)]
    return list(Run.objects.filter(pk__in=found).order_by(*BY_AGE)) if found else []


def _read_unsent(lifted: Mapping[str, Any], *, limit: int, ramped: bool) -> Sequence[Any]:
    params = {**lifted, "limit": limit, "ramped": ramped, "stopped": [*map(str, STOPPED)]}
    with connection.cursor() as cursor:
        cursor.execute(_SQL["unsent_runs"], params)
        return list(cursor.fetchall())


def find_due_entries(*, limit: int, ramp: Ramp | None = None) -> list[int]:
    """Find ids of scheduled entries whose automatic retry is due and not held, in their order.

    Of those that waited for a hold that was just lifted, as many as the ``ramp`` allows.
    """
    due = Entry.objects.filter(status=EntryStatus.SCHEDULED, next_attempt_at__lte=Now())
    on_hold = find_active_holds()
    if on_hold:
        due = due.exclude(on_hold.condition())
    due = due.order_by("pk")
    if not ramp:
        return list(due.values_list("pk", flat=True)[:limit])
    covered = ramp.condition("next_attempt_at")
    others = list(due.exclude(covered).values_list("pk", flat=True)[:limit])
    columns = ("pk", "kind", "upstream", "source_id", "next_attempt_at")
    rows = due.filter(covered).values_list(*columns)[:limit]
    waiting: list[WaitingItem[int]] = [WaitingItem(*row) for row in rows]
    taken = ramp.take(waiting, limit=limit)
    return sorted([*others, *(item.id for item in taken)])[:limit]
