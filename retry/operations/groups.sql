-- name: failed_entries
-- Gives the ids in the newest runs of an operation that have failures, of at most ``entries``
-- entries before them.
SELECT u.id FROM (
    SELECT entry_ids, coalesce(sum(size) OVER newest, 0) AS entries_before
    FROM retry_run r WHERE operation_id = %(operation)s AND failed + scheduled > 0 AND @in_sight
    WINDOW newest AS (ORDER BY started_at DESC NULLS LAST, position DESC, id
                      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
) placed CROSS JOIN unnest(placed.entry_ids) AS u (id)
WHERE placed.entries_before < %(entries)s

-- name: groups
-- Groups the newest ``failures`` failed attempts of an operation by fingerprint, the largest group
-- first, with the number of all failures. Only entries in ``visible``, unless that is null.
WITH placed AS (
    SELECT id, entry_ids, failed + scheduled AS failures,
           coalesce(sum(failed + scheduled) OVER newest, 0) AS failures_before,
           coalesce(sum(size) OVER newest, 0) AS entries_before
    FROM retry_run r WHERE operation_id = %(operation)s AND failed + scheduled > 0 AND @in_sight
    WINDOW newest AS (ORDER BY started_at DESC NULLS LAST, position DESC, id
                      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), newest_failures AS (
    SELECT a.fingerprint, a.error_class, a.error_message, a.ended_at
    FROM placed p CROSS JOIN unnest(p.entry_ids) AS u (id)
    JOIN entries_attempt a ON a.entry_id = u.id AND a.run_id = p.id AND a.status = 'failed'
    WHERE p.failures_before < %(failures)s AND p.entries_before < %(entries)s
        AND (%(visible)s::bigint[] IS NULL OR a.entry_id = ANY(%(visible)s::bigint[]))
    ORDER BY p.failures_before LIMIT %(failures)s
)
SELECT fingerprint, (array_agg(error_class ORDER BY ended_at DESC))[1],
       (array_agg(error_message ORDER BY ended_at DESC))[1], count(*),
       (SELECT sum(failures) FROM placed)
FROM newest_failures GROUP BY fingerprint ORDER BY count(*) DESC, fingerprint
