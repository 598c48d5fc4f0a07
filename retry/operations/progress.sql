-- name: sums
-- Gives the sums over an operation's runs by state. The last two columns count what began within
-- the last minute, or is running, since the operation was last resumed: its outcomes, and the
-- seconds since the first of them began.
SELECT state, sum(size - skipped_count - handed_on), sum(succeeded), sum(failed), sum(scheduled),
       sum(unchanged), sum(cancelled),
       sum(CASE WHEN recent THEN succeeded + failed + scheduled + unchanged ELSE 0 END),
       extract(epoch FROM now() - min(CASE WHEN recent THEN started_at END))
FROM (
    SELECT r.*, (r.ended_at > now() - interval '1 minute' OR r.state = 'running')
                AND (o.resumed_at IS NULL OR r.started_at >= o.resumed_at) AS recent
    FROM retry_run r JOIN retry_operation o ON o.id = r.operation_id
    WHERE r.operation_id = %(operation)s AND @in_sight
) r GROUP BY state

-- name: skipped
-- Gives the number of skipped entries by reason.
SELECT key, sum(value::int) FROM retry_run r, jsonb_each_text(skipped_counts)
WHERE operation_id = %(operation)s AND skipped_count > 0 AND @in_sight GROUP BY key ORDER BY key

-- name: running
-- Counts the entries that workers are processing.
SELECT count(*) FROM entries_entry WHERE status = 'running' AND run_id = ANY(
    ARRAY(SELECT id FROM retry_run r
          WHERE operation_id = %(operation)s AND state = 'running' AND @in_sight))
