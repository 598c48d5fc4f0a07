-- name: end_operation
-- Ends an operation without open runs; a cancelled one stays cancelled. Returns it if it has ended.
UPDATE retry_operation o
SET state = CASE o.state WHEN 'cancelled' THEN o.state ELSE 'completed' END, ended_at = now()
WHERE o.id = %(id)s AND o.ended_at IS NULL AND o.state IN ('running', 'paused', 'cancelled')
AND NOT EXISTS (
    SELECT FROM retry_run r
    WHERE r.operation_id = o.id AND r.state IN ('planned', 'queued', 'running'))
RETURNING o.id

-- name: lock_running
-- Locks an operation that runs, so that no verb pauses, resumes or cancels it before the commit. The
-- step that waits for this one holds the row as well: its lock is FOR NO KEY UPDATE, and only that
-- goes with FOR KEY SHARE. Where that step is gone meanwhile, this lock holds alone.
SELECT true FROM retry_operation WHERE id = %(id)s AND state = 'running' FOR KEY SHARE
