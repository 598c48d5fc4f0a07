-- fragment: waiting_since
-- Since when a run could have begun: since its ramp, where a hold was lifted, or since its operation
-- was resumed.
greatest(coalesce(retry_run.dispatched_at, retry_run.created_at), operation.resumed_at,
         @newest_lift + make_interval(secs => %(ramp)s))

-- fragment: waiting_syncs
-- The queued syncs "y" that could begin: a source is read by one at a time.
retry_sync y WHERE y.state = 'queued' AND NOT EXISTS (
    SELECT FROM retry_sync b WHERE b.source_id = y.source_id AND b.state = 'running')

-- fragment: may_begin
-- True for a queued run that is not held and of no stopped operation.
(NOT @run_is_held AND (operation.state IS NULL OR operation.state <> ALL(%(stopped)s)))

-- fragment: startable_runs
-- The queued runs that could begin.
retry_run LEFT JOIN retry_operation operation ON operation.id = retry_run.operation_id
WHERE retry_run.state = 'queued' AND @may_begin

-- name: next_queue
-- Gives the next queue, by name, in which runs are queued.
SELECT min(queue) FROM retry_run WHERE state = 'queued' AND queue > %(queue)s

-- name: queued_jobs
-- Reads the next of a queue's queued runs that got their job before a time, as the index of what
-- waits has them: the id, the job's name and how often there was one, whether the run may begin, and
-- when it got the job, as text, because reading dates would take a third of the time. What may not
-- begin is read as well, so that a part is never long.
WITH part AS MATERIALIZED (
    SELECT id, operation_id, kind, upstream, source_id, probe, job_id, dispatches, dispatched_at
    FROM retry_run
    WHERE state = 'queued' AND queue = %(queue)s AND dispatches > 0
      AND dispatched_at >= %(at)s AND dispatched_at <= %(until)s
      AND (dispatched_at, id) > (%(at)s, %(id)s::uuid)
    ORDER BY dispatched_at, id LIMIT %(limit)s
)
SELECT retry_run.id, retry_run.job_id, retry_run.dispatches, @may_begin,
       retry_run.dispatched_at::text
FROM part AS retry_run
LEFT JOIN retry_operation operation ON operation.id = retry_run.operation_id
ORDER BY retry_run.dispatched_at, retry_run.id

-- fragment: group_of
-- What decides alike for runs "r" whether they may begin, in the order of the index run_unsent.
coalesce(r.operation_id, '00000000-0000-0000-0000-000000000000'::uuid), r.kind, r.upstream,
coalesce(r.source_id, 0), r.probe

-- fragment: of_group
-- The runs "r" of group "g", the oldest first.
FROM retry_run r
WHERE r.state = 'queued' AND r.dispatched_at IS NULL
  AND (@group_of) = (g.operation_id, g.kind, g.upstream, g.source, g.probe)
  AND r.created_at >= g.since AND r.created_at < g.before
ORDER BY r.created_at, r.position, r.entry_ids[1]

-- name: unsent_runs
-- Reads runs without a job that may begin, the oldest first: what must not wait for a ramp, or with
-- "ramped" what must. Runs of one operation, kind, upstream and source begin or wait together: the
-- index gives these groups one by one, so of what waits no run is read, however many there are.
WITH RECURSIVE groups (operation_id, kind, upstream, source, probe) AS (
    (SELECT @group_of FROM retry_run r
     WHERE r.state = 'queued' AND r.dispatched_at IS NULL ORDER BY 1, 2, 3, 4, 5 LIMIT 1)
    UNION ALL
    SELECT n.* FROM groups g CROSS JOIN LATERAL (
        SELECT @group_of FROM retry_run r
        WHERE r.state = 'queued' AND r.dispatched_at IS NULL
          AND (@group_of) > (g.operation_id, g.kind, g.upstream, g.source, g.probe)
        ORDER BY 1, 2, 3, 4, 5 LIMIT 1
    ) n
), covered AS MATERIALIZED (
    SELECT retry_run.*, EXISTS (
        SELECT FROM unnest(%(kinds)s::text[], %(upstreams)s::text[], %(sources)s::bigint[])
            AS h (kind, upstream, source_id) WHERE @hold_covers_run) AS ramped
    FROM (SELECT *, nullif(source, 0) AS source_id FROM groups) AS retry_run
    LEFT JOIN retry_operation operation ON operation.id = retry_run.operation_id
    WHERE @may_begin
), bounded AS MATERIALIZED (
    SELECT *, CASE WHEN ramped AND NOT %(ramped)s THEN %(lifted)s::timestamptz ELSE '-infinity' END AS since,
           CASE WHEN %(ramped)s THEN %(lifted)s::timestamptz ELSE 'infinity' END AS before
    FROM covered WHERE ramped OR NOT %(ramped)s
), first AS MATERIALIZED (
    -- A group whose oldest run is not among the oldest ones has none of the runs that are wanted.
    SELECT g.* FROM bounded g CROSS JOIN LATERAL (
        SELECT r.created_at, r.position, r.entry_ids[1] AS entry_id @of_group LIMIT 1
    ) r
    ORDER BY r.created_at, r.position, r.entry_id LIMIT %(limit)s
)
SELECT r.id, r.kind, r.upstream, r.source_id, r.created_at, r.size
FROM first g CROSS JOIN LATERAL (
    SELECT r.id, r.kind, r.upstream, r.source_id, r.created_at, r.size, r.position,
           r.entry_ids[1] AS entry_id
    @of_group LIMIT %(limit)s
) r
ORDER BY r.created_at, r.position, r.entry_id LIMIT %(limit)s
