-- name: backlog
-- Reads for each queue what could begin: how long the oldest has waited, when the oldest run was made,
-- and how many runs have no job. Syncs wait in the queue "sync_queue", the oldest by its id.
SELECT retry_run.queue, statement_timestamp() - min(@waiting_since), min(retry_run.created_at),
       count(*) FILTER (WHERE retry_run.dispatches = 0)
FROM @startable_runs
GROUP BY retry_run.queue
UNION ALL
(SELECT %(sync_queue)s, statement_timestamp() - y.created_at, NULL, 0
FROM @waiting_syncs
ORDER BY y.id LIMIT 1)
