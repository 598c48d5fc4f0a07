-- fragment: newest_operations
-- The newest operations that have a reason and nothing that is outside of the scope.
SELECT id, reason, created_at FROM retry_operation
WHERE reason <> '' AND (%(everything)s OR source_ids <> '{}' AND source_ids <@ %(whole)s::bigint[])
ORDER BY created_at DESC LIMIT %(operations)s

-- fragment: newest_runs
-- The newest runs within the scope that have a reason of their own.
SELECT id, reason, created_at FROM retry_run
WHERE operation_id IS NULL AND reason <> '' AND (
    %(everything)s OR source_id = ANY(%(sources)s::bigint[])
    OR source_id IS NULL AND %(sourceless)s)
ORDER BY created_at DESC LIMIT %(runs)s

-- name: asked_for
-- Returns the ids of all entries in the runs of such reasons, begun or not, that are between two
-- ids: of runs that are wholly outside none is read. A run without a kind has no entries.
SELECT unnest(r.entry_ids) FROM (@newest_operations) o JOIN retry_run r ON r.operation_id = o.id
WHERE upper(o.reason) LIKE upper(%(pattern)s) AND r.kind <> ''
    AND r.entry_ids[array_upper(r.entry_ids, 1)] >= %(low)s AND r.entry_ids[1] <= coalesce(%(high)s, r.entry_ids[1])
UNION ALL
SELECT unnest(r.entry_ids) FROM (@newest_runs) n JOIN retry_run r ON r.id = n.id
WHERE upper(n.reason) LIKE upper(%(pattern)s) AND r.kind <> ''

-- name: find_newest
-- Returns at most so many ids of entries in the runs of such reasons: of the newest runs first, then
-- of the newest operations, of each the highest ids first.
SELECT id FROM (
    SELECT unnest(r.entry_ids) AS id FROM (@newest_runs) n JOIN retry_run r ON r.id = n.id
    WHERE upper(n.reason) LIKE upper(%(pattern)s) AND r.kind <> ''
    UNION ALL
    SELECT unnest(r.entry_ids) FROM (@newest_operations) o CROSS JOIN LATERAL (
        SELECT entry_ids FROM retry_run
        WHERE operation_id = o.id AND kind <> '' ORDER BY position DESC
    ) r
    WHERE upper(o.reason) LIKE upper(%(pattern)s)
) found LIMIT %(most)s
