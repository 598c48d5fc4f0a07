-- name: failed_by_hour
-- Sums what failed in each hour since a moment; hours without failures have no row.
SELECT date_bin('1 hour', c.at, 'epoch'::timestamptz) AS hour, sum(c.count)
FROM retry_outcomecount c
WHERE @since
  AND c.at < %(until)s::timestamptz AND c.fingerprint IN ('', '*') AND c.fingerprint <> ''
  AND @in_scope
GROUP BY 1

-- name: failed_by_minute
-- Lists when something failed in a time, minute by minute where minutes are still counted.
SELECT c.at, sum(c.count) FROM retry_outcomecount c
WHERE @since AND c.at < %(until)s::timestamptz AND c.fingerprint IN ('', '*') AND c.fingerprint <> ''
  AND @in_scope
GROUP BY 1 ORDER BY 1
