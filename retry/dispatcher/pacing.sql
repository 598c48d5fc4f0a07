-- name: end_operation
-- Ends an operation without open runs; a cancelled one stays cancelled. Returns it if it has ended.
UPDATE retry_operation o
SET state = CASE o.state WHEN 'cancelled' THEN o.state ELSE 'completed' END, ended_at = now()
WHERE o.id = %(id)s AND o.ended_at IS NULL AND o.state IN ('running', 'paused', 'cancelled')
AND NOT EXISTS (
    SELECT FROM retry_run r
    WHERE r.operation_id = o.id AND r.state IN ('planned', 'queued', 'running'))
RETURNING o.id
