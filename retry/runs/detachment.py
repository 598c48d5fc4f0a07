"""Queued runs without an RQ job: they wait in PostgreSQL until the dispatcher hands them over."""

from collections.abc import Sequence
from contextlib import suppress
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from entries.models import Entry
from entries.sql import load
from retry import queue
from retry.errors import QueueUnavailable
from retry.models import Hold, Run, RunState
from retry.runs.job_ids import dispatch_job_id
from retry.runs.routing import choose_queue

_SQL = load(__file__)

#: Before all ids.
FIRST = UUID(int=0)
#: Runs whose entries are looked at in one statement; each may have some hundred.
_RUNS = 200


def detach_run(run_id: UUID) -> None:
    """Note of a queued run that could not be claimed that its job is used up.

    The dispatcher hands it over at its first tick after the run may begin, instead of after the job
    was missing in Redis for a while; by then in the bulk queue, where no click waits behind it.
    """
    waiting = Run.objects.filter(id=run_id, state=RunState.QUEUED)
    kind = waiting.values_list("kind", flat=True).first()
    if kind is not None:
        waiting.filter(probe=True).update(dispatched_at=None)
        waiting.filter(probe=False).update(dispatched_at=None, queue=choose_queue(kind, bulk=True))


def detach_held_runs(hold: Hold, *, limit: int) -> int:
    """Take at most ``limit`` runs that a hold stops out of Redis; return how many.

    Their rows are locked and written in one transaction; rows that are locked are skipped. The jobs
    are taken back after it: a job that stays behind finds its run held.
    """
    with transaction.atomic():
        held = _find_with_job(hold).order_by("kind", "pk")
        locked = held.select_for_update(skip_locked=True, of=("self",))
        runs = list(locked.defer("entry_ids", "skipped")[:limit])
        for kind, group in groupby(runs, key=attrgetter("kind")):
            Run.objects.filter(pk__in=[run.pk for run in group]).update(
                dispatched_at=None,
                queue=choose_queue(kind, bulk=True),
                **({"upstream": hold.upstream} if hold.upstream else {}),
            )
    _take_jobs_back(runs)
    return len(runs)


def clear_moved_upstreams(after: UUID = FIRST) -> tuple[int, UUID | None]:
    """Make queued runs mixed ones where an entry depends on another upstream than its run by now; a
    worker divides them again. Looks at some runs behind the one with the id ``after``; returns how
    many have changed, and the last one looked at, or None where there are no more.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SQL["clear_moved_upstreams"], {"after": after, "limit": _RUNS})
        moved, last = cursor.fetchone()
    return int(moved), last


def _find_with_job(hold: Hold) -> QuerySet[Run]:
    """Runs with a job that the hold stops. What a run of a single entry depends on is its entry's
    upstream; of larger ones workers leave queued what is held.
    """
    queued = Run.objects.filter(state=RunState.QUEUED, dispatched_at__isnull=False, probe=False)
    if hold.source_id is not None:
        return queued.filter(source=hold.source_id)
    if not hold.upstream:
        return queued.filter(kind=hold.kind)
    single = Entry.objects.filter(pk=OuterRef("entry_ids__0"), upstream=hold.upstream)
    concerned = Q(upstream=hold.upstream) | Q(Exists(single), upstream="", size=1)
    return queued.filter(concerned, kind=hold.kind)


def _take_jobs_back(runs: Sequence[Run]) -> None:
    with suppress(QueueUnavailable):
        for run in runs:
            job_id = dispatch_job_id(run.job_id, dispatches=run.dispatches - 1)
            queue.take_back(run.queue, job_id=job_id)
