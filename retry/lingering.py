"""Going on with the next run of an operation, without waiting for its job."""

from contextlib import suppress

from django.conf import settings

from retry import queue
from retry.errors import QueueUnavailable
from retry.held import RUN_IS_HELD
from retry.job_ids import dispatch_job_id
from retry.models import Run

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
