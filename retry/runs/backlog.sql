-- fragment: waiting_since
-- Since when a run could have begun: since its ramp, where a hold was lifted, or since its operation
-- was resumed.
greatest(coalesce(retry_run.dispatched_at, retry_run.created_at), operation.resumed_at,
         @newest_lift + make_interval(secs => %(ramp)s))

-- fragment: waiting_syncs
-- The queued syncs "y" that could begin: a source is read by one at a time.
retry_sync y WHERE y.state = 'queued' AND NOT EXISTS (
    SELECT FROM retry_sync b WHERE b.source_id = y.source_id AND b.state = 'running')

-- fragment: startable_runs
-- The queued runs that could begin.
retry_run LEFT JOIN retry_operation operation ON operation.id = retry_run.operation_id
WHERE retry_run.state = 'queued' AND NOT @run_is_held
    AND (operation.state IS NULL OR operation.state <> ALL(%(stopped)s))
