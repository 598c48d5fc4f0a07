-- fragment: counted_statuses
-- What was folded and what was not yet: together exact.
(SELECT source_id, status, count FROM entries_statustotal
 UNION ALL
 SELECT source_id, status, count FROM entries_statuschange) counted

-- fragment: in_scope
-- Of the sources that may be seen.
(%(everything)s OR source_id = ANY(%(sources)s::bigint[]) OR (%(sourceless)s AND source_id IS NULL))

-- name: count
-- Counts the entries of a scope by status.
SELECT status, sum(count)::bigint FROM @counted_statuses
WHERE @in_scope
GROUP BY status

-- name: count_by_source
-- Counts the entries of a scope by the slug of their source, empty for those without one, and
-- by status.
SELECT coalesce(s.slug, ''), status, sum(count)::bigint
FROM @counted_statuses LEFT JOIN entries_source s ON s.id = source_id
WHERE @in_scope
GROUP BY 1, 2
