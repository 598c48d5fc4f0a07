"""A run from its claim to its end: conditional statements; the rows they return are the truth."""

from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from retry import queue
from retry.errors import QueueUnavailable
from retry.holds.condition import RUN_IS_HELD
from retry.models import Run, RunState
from retry.runs.job_ids import dispatch_job_id

_CLAIM_RUN = f"""
UPDATE retry_run
SET state = 'running', started_at = coalesce(started_at, clock_timestamp()), worker = %(worker)s,
    lease_expires_at = clock_timestamp() + make_interval(secs => %(lease)s)
WHERE id = %(id)s AND (state = 'running' AND worker = %(worker)s
    OR state = 'queued' AND NOT EXISTS (SELECT FROM retry_operation o
    WHERE o.id = retry_run.operation_id AND o.state IN ('paused', 'cancelled'))
AND NOT {RUN_IS_HELD})
RETURNING id
"""  # noqa: S608 - a condition of our own


def claim_run(run_id: UUID, *, worker: str) -> Run | None:
    """``queued -> running`` with a lease by the database's clock; None where it is not to be had.

    The same job delivered twice finds the run taken: one of them works, the other ends. ``worker``
    may ask again, for an answer can be lost. Of a run that is held the job has been used up.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM_RUN,
            {"id": run_id, "worker": worker[:200], "lease": settings.REDRIVE_LEASE_SECONDS},
        )
        if cursor.fetchone() is None:
            return None
    return Run.objects.get(id=run_id)


_CLAIM_NEXT = f"""
UPDATE retry_run
SET state = 'running', started_at = clock_timestamp(), worker = %(worker)s,
    lease_expires_at = clock_timestamp() + make_interval(secs => %(lease)s)
WHERE id = coalesce((
    -- Claimed before by a statement whose answer was lost.
    SELECT id FROM retry_run
    WHERE state = 'running' AND worker = %(worker)s AND id <> %(run)s LIMIT 1
), (
    SELECT id FROM retry_run
    WHERE operation_id = %(operation)s AND position > %(position)s AND state = 'queued'
      AND dispatches > 0 AND dispatched_at IS NOT NULL
      AND kind = %(kind)s AND queue = %(queue)s AND size <= %(size)s
      AND NOT {RUN_IS_HELD}
    ORDER BY position LIMIT 1 FOR UPDATE SKIP LOCKED))
AND NOT EXISTS (
    SELECT FROM retry_operation o
    WHERE o.id = %(operation)s AND o.state IN ('paused', 'cancelled'))
RETURNING *
"""  # noqa: S608 - a condition of our own


def claim_next(run: Run, *, worker: str) -> Run | None:
    """Claim the next queued run of the same operation, without the bell: its job is taken back.

    Of the same kind and no larger, because RQ watches the time of the first one. A job that cannot
    be taken back finds its run claimed and ends at once. May be repeated.
    """
    if run.operation_id is None:
        return None
    params = {
        "run": run.id,
        "operation": run.operation_id,
        "position": run.position,
        "kind": run.kind,
        "queue": run.queue,
        "size": run.size,
        "worker": worker[:200],
        "lease": settings.REDRIVE_LEASE_SECONDS,
    }
    claimed = next(iter(Run.objects.raw(_CLAIM_NEXT, params)), None)
    if claimed is not None:
        job_id = dispatch_job_id(claimed.job_id, dispatches=claimed.dispatches - 1)
        with suppress(QueueUnavailable):
            queue.take_back(claimed.queue, job_id=job_id)
    return claimed


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
    succeeded = t.succeeded, failed = t.failed, scheduled = t.scheduled, lost = t.lost,
    cancelled = t.cancelled, unchanged = t.unchanged, transient = t.transient,
    handed_on = r.size - r.skipped_count
                - t.succeeded - t.failed - t.scheduled - t.cancelled - t.unchanged
FROM (
    SELECT count(*) FILTER (WHERE a.status = 'succeeded') AS succeeded,
           count(*) FILTER (WHERE a.status = 'failed' AND e.status <> 'scheduled') AS failed,
           count(*) FILTER (WHERE a.status = 'failed' AND e.status = 'scheduled') AS scheduled,
           count(*) FILTER (WHERE a.status = 'cancelled') AS cancelled,
           count(*) FILTER (WHERE a.status = 'unchanged') AS unchanged,
           count(*) FILTER (WHERE a.transient) AS transient,
           count(*) FILTER (WHERE a.status = 'lost') AS lost
    FROM entries_attempt a JOIN entries_entry e ON e.id = a.entry_id
    WHERE a.entry_id = ANY(%(ids)s) AND a.run_id = %(id)s
) t
WHERE r.id = %(id)s AND r.state = 'running' AND r.worker = %(worker)s
  AND NOT EXISTS (
    SELECT FROM entries_entry e
    WHERE e.id = ANY(%(ids)s) AND e.run_id = %(id)s AND e.status IN ('queued', 'running'))
RETURNING r.id
"""


def end_run(run: Run, *, worker: str) -> bool:
    """``running -> finished`` with tallies counted from its attempts; what is left over is what
    another run answers for.

    False where ``worker`` no longer holds the run, and where entries of it are still at work:
    such a run is left to its lease, and so to the rescue.
    """
    with connection.cursor() as cursor:
        cursor.execute(_END_RUN, {"id": run.id, "ids": run.entry_ids, "worker": worker[:200]})
        return cursor.fetchone() is not None


def lock_lapsed(run_id: UUID) -> bool:
    """Lock a lapsed run until the caller's transaction ends; False where it has not lapsed."""
    found = Run.objects.filter(id=run_id, state=RunState.RUNNING, lease_expires_at__lt=Now())
    return found.select_for_update().exists()


_TALLY = """
UPDATE retry_run
SET succeeded = succeeded + %(succeeded)s, failed = failed + %(failed)s,
    scheduled = scheduled + %(scheduled)s, unchanged = unchanged + %(unchanged)s,
    transient = transient + %(transient)s
WHERE id = %(id)s AND state = 'running' AND worker = %(worker)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeCounts:
    """Outcomes by what they were; ``transient`` of the failed and scheduled ones."""

    succeeded: int = 0
    failed: int = 0
    scheduled: int = 0
    unchanged: int = 0
    transient: int = 0


def tally(run: Run, counted: OutcomeCounts, *, worker: str) -> None:
    """Count outcomes while the run goes on, for those who watch; ``end_run`` counts for good."""
    with connection.cursor() as cursor:
        cursor.execute(_TALLY, {"id": run.id, "worker": worker[:200], **asdict(counted)})
