-- name: operations
-- Gives those of ``ids`` whose operation has ended, is paused or awaits approval.
SELECT id FROM retry_operation
WHERE id = ANY(%(ids)s::uuid[])
    AND (ended_at IS NOT NULL OR state IN ('paused', 'awaiting_approval'))

-- name: runs
-- Gives those of ``ids`` whose run has ended.
SELECT id FROM retry_run WHERE id = ANY(%(ids)s::uuid[]) AND state IN ('finished', 'cancelled')

-- name: syncs
-- Gives those of ``ids`` whose sync has ended.
SELECT id FROM retry_sync WHERE id = ANY(%(ids)s::bigint[]) AND state IN ('succeeded', 'failed')
