-- name: seconds_by_kind
-- Gives for each kind the working time and the number of outcomes of its newest finished runs: at
-- most 50 a kind, among the newest 2,000 runs of all kinds.
SELECT kind, sum(extract(epoch FROM ended_at - started_at)), sum(succeeded + failed + scheduled)
FROM (
    SELECT kind, started_at, ended_at, succeeded, failed, scheduled,
           row_number() OVER (PARTITION BY kind ORDER BY created_at DESC) AS place
    FROM (SELECT * FROM retry_run ORDER BY created_at DESC LIMIT 2000) newest
    WHERE state = 'finished' AND started_at IS NOT NULL AND succeeded + failed + scheduled > 0
) r
WHERE place <= 50 GROUP BY kind
