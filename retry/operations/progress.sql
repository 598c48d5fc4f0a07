-- name: progress
-- Gives the sums over an operation's runs by state. Two columns count what began within the last
-- minute, or is running, since the operation was last resumed: its outcomes, and the seconds since
-- the first of them began. The last two are the same in each row: skipped entries by reason, and
-- how many entries workers are processing.
SELECT state, sum(size - skipped_count - handed_on), sum(succeeded), sum(failed), sum(scheduled),
       sum(unchanged), sum(cancelled),
       sum(CASE WHEN recent THEN succeeded + failed + scheduled + unchanged ELSE 0 END),
       extract(epoch FROM now() - min(CASE WHEN recent THEN started_at END)),
       (SELECT coalesce(jsonb_object_agg(key, number), '{}') FROM (
            SELECT key, sum(value::int) AS number FROM retry_run r, jsonb_each_text(skipped_counts)
            WHERE operation_id = %(operation)s AND skipped_count > 0 AND @in_sight GROUP BY key
       ) skipped),
       (SELECT count(*) FROM entries_entry WHERE status = 'running' AND run_id = ANY(
            ARRAY(SELECT id FROM retry_run r
                  WHERE operation_id = %(operation)s AND state = 'running' AND @in_sight)))
FROM (
    SELECT r.*, (r.ended_at > now() - interval '1 minute' OR r.state = 'running')
                AND (o.resumed_at IS NULL OR r.started_at >= o.resumed_at) AS recent
    FROM retry_run r JOIN retry_operation o ON o.id = r.operation_id
    WHERE r.operation_id = %(operation)s AND @in_sight
) r GROUP BY state
