-- fragment: counted_statuses
-- What was folded and what was not yet: together exact.
(SELECT source_id, status, count FROM entries_statustotal
 UNION ALL
 SELECT source_id, status, count FROM entries_statuschange) counted

-- name: count
-- Counts the entries of a scope by status.
SELECT status, sum(count)::bigint FROM @counted_statuses
WHERE %(everything)s OR source_id = ANY(%(sources)s::bigint[])
   OR (%(sourceless)s AND source_id IS NULL)
GROUP BY status
