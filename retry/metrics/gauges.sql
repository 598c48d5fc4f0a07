-- name: gauges
-- Reads every gauge in one statement: its name, two labels, and the value.
--
-- Entries of a status are counted up to %(most)s by a partial index. Where there are more, and for
-- those that have succeeded, of which no index knows, the statistics of the table tell: right to
-- about a hundredth of the table. A small table is counted whole.
WITH known AS MATERIALIZED (
    SELECT p.status, p.share * c.reltuples AS guess
    FROM pg_class c, pg_stats k, unnest(
        k.most_common_vals::text::text[], k.most_common_freqs) AS p (status, share)
    WHERE c.oid = 'entries_entry'::regclass AND c.reltuples > 0 AND k.attname = 'status'
      AND k.schemaname = current_schema() AND k.tablename = 'entries_entry'
), counted AS (
    SELECT s.status, k.guess, CASE WHEN k.guess > 2 * %(most)s THEN NULL ELSE CASE s.status
        WHEN 'pending' THEN (SELECT count(*) FROM (
            SELECT FROM entries_entry WHERE status = 'pending' LIMIT %(most)s) f)
        WHEN 'queued' THEN (SELECT count(*) FROM (
            SELECT FROM entries_entry WHERE status = 'queued' LIMIT %(most)s) f)
        WHEN 'running' THEN (SELECT count(*) FROM (
            SELECT FROM entries_entry WHERE status = 'running' LIMIT %(most)s) f)
        WHEN 'scheduled' THEN (SELECT count(*) FROM (
            SELECT FROM entries_entry WHERE status = 'scheduled' LIMIT %(most)s) f)
        WHEN 'failed' THEN (SELECT count(*) FROM (
            SELECT FROM entries_entry WHERE status = 'failed' LIMIT %(most)s) f)
        WHEN 'discarded' THEN (SELECT count(*) FROM (
            SELECT FROM entries_entry WHERE status = 'discarded' LIMIT %(most)s) f)
        WHEN 'succeeded' THEN CASE WHEN pg_relation_size('entries_entry') < %(small)s
            THEN (SELECT count(*) FROM entries_entry WHERE status = 'succeeded') END
        END END AS count
    FROM unnest(%(statuses)s::text[]) AS s (status) LEFT JOIN known k ON k.status = s.status
), waiting AS (
    SELECT retry_run.queue, @waiting_since AS since, retry_run.dispatched_at IS NULL AS undispatched
    FROM @startable_runs
)
SELECT 'entries', status, '', coalesce(
    CASE WHEN count >= %(most)s THEN greatest(count, guess) ELSE count END, guess, 0)::float8
FROM counted
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
