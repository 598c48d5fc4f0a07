-- name: empty
-- Removes what a scene has left.
TRUNCATE entries_entry, entries_indexedentry, entries_attempt, retry_run, retry_operation,
    retry_auditevent, retry_hold, retry_outcometally, retry_outcomeflush, retry_workerheartbeat CASCADE

-- name: insert_slow_entries
-- Inserts so many failed entries of the kind slow, spread evenly over so many upstreams.
INSERT INTO entries_entry (kind, external_id, title, payload, content_hash, upstream, status, attempt,
                           automatic_attempts, error_class, error_message, fingerprint, failed_at)
SELECT 'slow', %(label)s || n, 'Slow ' || n, jsonb_build_object('host', h), md5(n::text), h,
       'failed', 1, 0, 'TransientError', 'HTTP 503', '1-503', now()
FROM generate_series(1, %(count)s) n
CROSS JOIN LATERAL (SELECT 'host-' || n %% %(upstreams)s AS h) u
RETURNING id

-- name: starts_by_second
-- Counts an operation's entries by the second in which they were queued, from its start.
SELECT floor(extract(epoch FROM r.dispatched_at - o.started_at))::int AS second, sum(r.size)
FROM retry_run r JOIN retry_operation o ON o.id = r.operation_id
WHERE o.id = %(operation)s AND r.dispatched_at IS NOT NULL GROUP BY 1 ORDER BY 1

-- name: load
-- What PostgreSQL has done so far: transactions, sessions, and rows of runs changed and read.
SELECT extract(epoch FROM clock_timestamp()), d.xact_commit + d.xact_rollback, d.sessions,
       t.n_tup_upd, t.n_tup_hot_upd, t.seq_tup_read + t.idx_tup_fetch
FROM pg_stat_database d, pg_stat_user_tables t
WHERE d.datname = current_database() AND t.relname = 'retry_run'

-- name: data_directory
-- Returns the folder with the process id of the server.
SELECT current_setting('data_directory')
