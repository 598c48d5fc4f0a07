"""Making runs and handing them over: what every verb that queues entries ends with."""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from entries.errors import UnknownKind
from entries.kinds import registry
from entries.kinds.base import Kind
from retry import queue
from retry.errors import QueueUnavailable
from retry.job_ids import dispatch_job_id, run_job_id
from retry.models import Run, RunState, Trigger
from retry.outcomes import Actor

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry that a transition has just put into a run."""

    id: int
    kind: str
    attempt: int
    run_id: UUID


def run_sizes(*, cap: int | None = None) -> dict[str, int]:
    """Kind -> how many of its entries make a run."""
    return {
        name: min(kind.run_size, cap) if cap else kind.run_size
        for name, kind in registry.all_kinds().items()
    }


def rescue_limits() -> dict[str, int]:
    return {name: kind.rescue_limit for name, kind in registry.all_kinds().items()}


def create_runs(
    placed: Iterable[Placed], *, trigger: Trigger, actor: Actor, reason: str, bulk: bool
) -> list[Run]:
    """Insert a run for each run id, in the caller's transaction, and hand them over after it.

    The order of ids is kept. ``bulk`` sends them where no click has to wait behind them.
    """
    ordered = sorted(placed, key=lambda item: (item.run_id, item.id))
    runs = []
    for run_id, group in groupby(ordered, key=lambda item: item.run_id):
        members = list(group)
        runs.append(
            Run(
                id=run_id,
                trigger=trigger,
                actor_id=actor.user_id,
                actor_label=actor.label,
                reason=reason,
                kind=members[0].kind,
                queue=_queue_of(members[0].kind, bulk=bulk),
                entry_ids=[member.id for member in members],
                job_id=run_job_id(run_id, entries=[(m.id, m.attempt) for m in members]),
            )
        )
    runs.sort(key=lambda run: run.entry_ids[0])
    Run.objects.bulk_create(runs)
    return runs


class Handing:
    """Hands runs over once the transaction around it has committed; ``done`` says how it went.

    Until then, and where Redis could not be reached, ``done`` is False and the dispatcher has
    something to do.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self.done = not runs
        if runs:
            transaction.on_commit(lambda: self._hand_over(runs), robust=True)

    def _hand_over(self, runs: Sequence[Run]) -> None:
        self.done = hand_over(runs) == len(runs)


def hand_over(runs: Sequence[Run]) -> int:
    """Enqueue runs, in order, and note it; returns how many reached Redis. Never raises for Redis.

    Must be called outside a transaction: a job may start before this returns.
    """
    sent: list[UUID] = []
    for run in runs:
        job_id = dispatch_job_id(run.job_id, dispatches=run.dispatches)
        try:
            queue.hand_over(
                queue.Handover(
                    job_id=job_id, queue=run.queue, argument=str(run.id), timeout=_timeout_of(run)
                )
            )
        except QueueUnavailable as error:
            logger.warning("handover.failed", extra={"run_id": str(run.id), "error": str(error)})
            break
        sent.append(run.id)
    if sent:
        Run.objects.filter(id__in=sent).update(dispatches=F("dispatches") + 1, dispatched_at=Now())
    return len(sent)


_CLAIM_RUN = """
UPDATE retry_run
SET state = 'running', started_at = clock_timestamp(), worker = %(worker)s,
    lease_expires_at = clock_timestamp() + make_interval(secs => %(lease)s)
WHERE id = %(id)s AND state = 'queued'
RETURNING id
"""


def claim_run(run_id: UUID, *, worker: str) -> Run | None:
    """``queued -> running`` with a lease by the database's clock; None where it is not to be had.

    The same job delivered twice finds the run taken: one of them works, the other goes home.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM_RUN,
            {"id": run_id, "worker": worker[:200], "lease": settings.REDRIVE_LEASE_SECONDS},
        )
        if cursor.fetchone() is None:
            return None
    return Run.objects.get(id=run_id)


def renew_lease(run_id: UUID, *, worker: str) -> datetime | None:
    """The new end of the lease, or None where the run has been taken away."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE retry_run SET lease_expires_at = clock_timestamp() + make_interval(secs => %s)"
            " WHERE id = %s AND state = 'running' AND worker = %s RETURNING lease_expires_at",
            [settings.REDRIVE_LEASE_SECONDS, run_id, worker[:200]],
        )
        row = cursor.fetchone()
    return row[0] if row else None


_END_RUN = """
UPDATE retry_run r
SET state = 'finished', ended_at = clock_timestamp(), lease_expires_at = NULL,
    skipped = %(skipped)s::jsonb,
    succeeded = t.succeeded, failed = t.failed, scheduled = t.scheduled, lost = t.lost
FROM (
    SELECT count(*) FILTER (WHERE a.status = 'succeeded') AS succeeded,
           count(*) FILTER (WHERE a.status = 'failed' AND e.status <> 'scheduled') AS failed,
           count(*) FILTER (WHERE a.status = 'failed' AND e.status = 'scheduled') AS scheduled,
           count(*) FILTER (WHERE a.status = 'lost') AS lost
    FROM entries_attempt a JOIN entries_entry e ON e.id = a.entry_id
    WHERE a.entry_id = ANY(%(ids)s) AND a.run_id = %(id)s
) t
WHERE r.id = %(id)s AND r.state = 'running' AND r.worker = %(worker)s
RETURNING r.id
"""


def end_run(run: Run, *, skipped: Mapping[str, list[int]], worker: str) -> bool:
    """``running -> finished`` with tallies counted from its attempts.

    ``skipped`` is reason -> entry ids. False where ``worker`` no longer holds the run.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _END_RUN,
            {
                "id": run.id,
                "ids": run.entry_ids,
                "skipped": json.dumps({key: ids for key, ids in skipped.items() if ids}),
                "worker": worker[:200],
            },
        )
        return cursor.fetchone() is not None


def lock_lapsed(run_id: UUID) -> bool:
    """Lock a run whose lease has lapsed until the caller's transaction ends; False if it has not."""
    found = Run.objects.filter(id=run_id, state=RunState.RUNNING, lease_expires_at__lt=Now())
    return found.select_for_update().exists()


def undispatched(*, limit: int) -> list[Run]:
    """Runs that were committed and never reached Redis, oldest first."""
    found = Run.objects.filter(state=RunState.QUEUED, dispatches=0).order_by("created_at")
    return list(found[:limit])


def _queue_of(kind: str, *, bulk: bool) -> str:
    known = _kind(kind)
    if known is None:
        return "bulk" if bulk else "default"
    return known.bulk_queue if bulk else known.queue


def _timeout_of(run: Run) -> int:
    """Seconds after which RQ kills the work-horse: a net under the entries' own time limits."""
    known = _kind(run.kind)
    each = known.time_limit if known else 60.0
    return int(each * len(run.entry_ids)) + 60


def _kind(name: str) -> Kind | None:
    try:
        return registry.get(name)
    except UnknownKind:
        return None
