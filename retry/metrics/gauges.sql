-- name: gauges
-- Reads every gauge in one statement: its name, two labels, and the value.
WITH waiting AS (
    SELECT retry_run.queue, @waiting_since AS since, retry_run.dispatched_at IS NULL AS undispatched
    FROM @startable_runs
)
SELECT 'entries', s.status, '', coalesce(sum(counted.count), 0)::float8
FROM unnest(%(statuses)s::text[]) AS s (status) LEFT JOIN @counted_statuses USING (status)
GROUP BY s.status
UNION ALL
SELECT 'queue_wait_seconds', queue, '',
       extract(epoch FROM statement_timestamp() - min(since))::float8
FROM waiting GROUP BY queue
UNION ALL
SELECT 'queue_wait_seconds', %(sync_queue)s, '',
       extract(epoch FROM statement_timestamp() - min(y.created_at))::float8
FROM @waiting_syncs
HAVING count(*) > 0
UNION ALL
SELECT 'undispatched_runs', '', '', count(*) FROM waiting WHERE undispatched
UNION ALL
SELECT 'handover_lag_seconds', '', '',
       coalesce(extract(epoch FROM statement_timestamp() - min(since)), 0)::float8
FROM waiting WHERE undispatched
UNION ALL
SELECT 'operations', state, '', count(*) FROM retry_operation
WHERE state IN ('awaiting_approval', 'planned', 'running', 'paused') GROUP BY state
UNION ALL
SELECT 'holds', CASE WHEN automatic THEN 'breaker' ELSE 'person' END, '', count(*)
FROM retry_hold WHERE lifted_at IS NULL GROUP BY automatic
UNION ALL
SELECT 'error_groups', state, '', count(*) FROM retry_errorgroup GROUP BY state
UNION ALL
SELECT 'workers', queue, w.state, count(*)
FROM retry_workerheartbeat h, LATERAL (SELECT CASE
    WHEN h.beat_at < statement_timestamp() - make_interval(secs => %(silence)s) THEN 'silent'
    ELSE h.state END AS state) w
GROUP BY h.queue, w.state
UNION ALL
SELECT t.name, '', '', t.value FROM retry_heartbeat b, LATERAL (VALUES
    ('dispatcher_beat_age_seconds', extract(epoch FROM statement_timestamp() - b.beat_at)::float8),
    ('dispatcher_tick_seconds', coalesce((b.last_tick ->> 'seconds')::float8, 0)),
    ('dispatcher_broken_steps', coalesce((b.last_tick ->> 'broken')::float8, 0))) t (name, value)
WHERE b.name = %(dispatcher)s
UNION ALL
SELECT 'outage_open', '', '', count(*) FROM retry_outage WHERE is_open
