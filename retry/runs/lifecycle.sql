-- name: claim_run
-- Claims one queued run, unless it is held or its operation is paused or cancelled. The same worker
-- may repeat it and gets the run that it has. No row where another worker was first.
UPDATE retry_run
SET state = 'running', started_at = coalesce(started_at, clock_timestamp()), worker = %(worker)s,
    lease_expires_at = clock_timestamp() + make_interval(secs => %(lease)s)
WHERE id = %(id)s AND (state = 'running' AND worker = %(worker)s
    OR state = 'queued' AND NOT EXISTS (
        SELECT FROM retry_operation o
        WHERE o.id = retry_run.operation_id AND o.state IN ('paused', 'cancelled'))
    AND NOT @run_is_held)
RETURNING @columns

-- fragment: already_mine
-- A run that the worker has, claimed by a statement whose answer was lost; looked for only after one
-- was, because it reads the runs of all workers.
CASE WHEN %(answer_lost)s THEN (
    SELECT id FROM retry_run
    WHERE state = 'running' AND worker = %(worker)s AND id <> ALL(%(held)s::uuid[]) LIMIT 1) END

-- fragment: fits_behind
-- True where a waiting run can be claimed behind another of its kind and queue. Side by side with
-- others nothing runs that was taken from a dead worker, or that tries whether an upstream works.
retry_run.kind = %(kind)s AND retry_run.queue = %(queue)s AND retry_run.resync = %(resync)s
    AND NOT @run_is_held
    AND CASE WHEN %(side_by_side)s THEN retry_run.trigger <> 'rescue' AND NOT retry_run.probe
        ELSE retry_run.size <= %(size)s END

-- name: claim_next
-- Claims the next queued run of an operation that fits behind another. A run that the worker
-- already has, claimed by a statement whose answer was lost, is returned first. Runs that another
-- worker is claiming are skipped.
UPDATE retry_run
SET state = 'running', started_at = clock_timestamp(), worker = %(worker)s,
    lease_expires_at = clock_timestamp() + make_interval(secs => %(lease)s)
WHERE id = coalesce(
    @already_mine, (
    SELECT id FROM retry_run
    WHERE operation_id = %(operation)s AND position > %(position)s AND state = 'queued'
      AND dispatches > 0 AND dispatched_at IS NOT NULL AND @fits_behind
    ORDER BY position LIMIT 1 FOR UPDATE SKIP LOCKED))
AND NOT EXISTS (
    SELECT FROM retry_operation o
    WHERE o.id = %(operation)s AND o.state IN ('paused', 'cancelled'))
RETURNING @columns

-- name: claim_oldest
-- Claims the run that has waited longest of those that fit behind another and belong to no operation,
-- if no work of another kind has waited longer in its queue. A run that the worker already has is
-- returned first; runs that another worker is claiming are skipped.
UPDATE retry_run
SET state = 'running', started_at = coalesce(started_at, clock_timestamp()), worker = %(worker)s,
    lease_expires_at = clock_timestamp() + make_interval(secs => %(lease)s)
WHERE id = coalesce(
    @already_mine, (
    SELECT id FROM retry_run
    WHERE state = 'queued' AND dispatches > 0 AND dispatched_at IS NOT NULL
      AND operation_id IS NULL AND @fits_behind
      -- Compared once: asked for each run, hundreds that wait would cost hundreds of looks at each.
      AND dispatched_at <= coalesce((
        SELECT min(o.dispatched_at) FROM retry_run o
        WHERE o.queue = %(queue)s AND o.state = 'queued' AND o.dispatches > 0
          AND o.kind <> %(kind)s), 'infinity')
    ORDER BY dispatched_at, created_at LIMIT 1 FOR UPDATE SKIP LOCKED))
RETURNING @columns

-- name: renew_leases
-- Extends the leases of runs that the worker still has; no row where one has been taken away.
UPDATE retry_run SET lease_expires_at = clock_timestamp() + make_interval(secs => %(lease)s)
WHERE id = ANY(%(ids)s::uuid[]) AND state = 'running' AND worker = %(worker)s
RETURNING id

-- name: count_outcomes
-- Adds outcomes to the counts of a run that the worker still has.
UPDATE retry_run
SET succeeded = succeeded + %(succeeded)s, failed = failed + %(failed)s,
    scheduled = scheduled + %(scheduled)s, unchanged = unchanged + %(unchanged)s,
    transient = transient + %(transient)s
WHERE id = %(id)s AND state = 'running' AND worker = %(worker)s

-- name: end_counted_run
-- Ends a run that the worker still has and of which every entry is counted as it ended.
UPDATE retry_run SET state = 'finished', ended_at = clock_timestamp(), lease_expires_at = NULL
WHERE id = %(id)s AND state = 'running' AND worker = %(worker)s
  AND succeeded + failed + scheduled + unchanged + skipped_count = size
RETURNING id

-- name: end_run
-- Ends a run that the worker still has, with counts taken from its attempts; entries without an
-- outcome count as handed on. No row where an entry of it is still queued or running.
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
    WHERE a.entry_id = ANY(%(ids)s::bigint[]) AND a.run_id = %(id)s
) t
WHERE r.id = %(id)s AND r.state = 'running' AND r.worker = %(worker)s
  AND NOT EXISTS (
    SELECT FROM entries_entry e
    WHERE e.id = ANY(%(ids)s::bigint[]) AND e.run_id = %(id)s AND e.status IN ('queued', 'running'))
RETURNING r.id
