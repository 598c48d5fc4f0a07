-- name: timeline
-- Gives at most ``points`` + 1 moments of an operation that has begun, evenly from its start to now
-- or its end: the seconds since the start, its total, and what became of the entries of the runs
-- that ended since the moment before: succeeded, failed, skipped or cancelled.
WITH bounds AS (
    SELECT started_at, %(total)s::bigint AS total,
           greatest(extract(epoch FROM coalesce(ended_at, now()) - started_at), 1) / %(points)s AS width
    FROM retry_operation WHERE id = %(operation)s AND started_at IS NOT NULL
), ended AS (
    SELECT least(%(points)s, greatest(1, ceil(
               extract(epoch FROM r.ended_at - b.started_at) / b.width)))::int AS bucket,
           sum(r.succeeded + r.unchanged) AS succeeded, sum(r.failed + r.scheduled) AS failed,
           sum(CASE r.state WHEN 'cancelled' THEN r.size - r.handed_on
               ELSE r.cancelled + r.skipped_count END) AS other
    FROM retry_run r CROSS JOIN bounds b
    WHERE r.operation_id = %(operation)s AND r.ended_at IS NOT NULL AND @in_sight
    GROUP BY 1
)
SELECT p.bucket * b.width, b.total, coalesce(e.succeeded, 0), coalesce(e.failed, 0),
       coalesce(e.other, 0)
FROM bounds b CROSS JOIN generate_series(0, %(points)s) AS p (bucket)
LEFT JOIN ended e ON e.bucket = p.bucket
ORDER BY p.bucket
