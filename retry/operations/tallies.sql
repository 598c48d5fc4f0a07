-- name: tallies
-- Gives, for each operation that has runs, the counts of entries that have settled in it.
SELECT operation_id, sum(succeeded), sum(failed), sum(scheduled), sum(skipped_count),
       sum(unchanged),
       sum(CASE state WHEN 'cancelled' THEN size - skipped_count - handed_on ELSE cancelled END)
FROM retry_run r WHERE operation_id = ANY(%(operations)s) AND @in_sight GROUP BY operation_id
