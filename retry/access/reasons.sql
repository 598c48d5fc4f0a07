-- fragment: newest_operations
-- The newest operations that have a reason and nothing that is outside of the scope.
SELECT id, reason FROM retry_operation
WHERE reason <> '' AND (%(everything)s OR source_ids <> '{}' AND source_ids <@ %(whole)s::bigint[])
ORDER BY created_at DESC LIMIT %(operations)s

-- fragment: newest_runs
-- The newest runs within the scope that have a reason of their own.
SELECT id, reason FROM retry_run
WHERE operation_id IS NULL AND reason <> '' AND (
    %(everything)s OR source_id = ANY(%(sources)s::bigint[])
    OR source_id IS NULL AND %(sourceless)s)
ORDER BY created_at DESC LIMIT %(runs)s

-- name: handed
-- Behind the id of an entry: it is in a run that was made for such a reason, begun or not.
IN (
    SELECT unnest(r.entry_ids) FROM (@newest_operations) o JOIN retry_run r ON r.operation_id = o.id
    WHERE upper(o.reason) LIKE upper(%(pattern)s)
    UNION ALL
    SELECT unnest(r.entry_ids) FROM (@newest_runs) n JOIN retry_run r ON r.id = n.id
    WHERE upper(n.reason) LIKE upper(%(pattern)s)
)

-- name: tried
-- Behind the id of an entry: it has an attempt in such a run. Found from the entry, so for few.
IN (
    SELECT a.entry_id FROM entries_attempt a JOIN retry_run r ON r.id = a.run_id
    WHERE r.operation_id IN (
        SELECT id FROM (@newest_operations) o WHERE upper(reason) LIKE upper(%(pattern)s)
    ) OR r.operation_id IS NULL AND r.id IN (
        SELECT id FROM (@newest_runs) n WHERE upper(reason) LIKE upper(%(pattern)s)
    )
)
