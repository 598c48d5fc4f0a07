-- name: empty
-- Removes what a scene has left.
TRUNCATE retry_run, retry_operation, retry_auditevent, retry_hold CASCADE

-- name: insert_operation
-- Inserts a running operation with a failure limit, begun an hour ago, whose runs come after it.
INSERT INTO retry_operation (id, action, actor_label, reason, selection, selection_words, total,
                             rate_per_second, canary_size, canary_done, max_failure_rate, state,
                             pause_reason, started_at, resumed_at, paced_entries)
VALUES (%(id)s, 'retry', 'bench', '', '{}', 'bench', %(runs)s * 50, NULL, 10, true, 0.1, 'running',
        '', now() - interval '1 hour', now() - interval '1 hour', 0)

-- name: insert_runs
-- Inserts the runs of an operation, 50 entries each: most have ended, some are running, and some are
-- queued and planned behind them.
INSERT INTO retry_run (id, operation_id, position, canary, trigger, actor_label, reason, kind, queue,
                       entry_ids, size, state, job_id, dispatches, created_at, dispatched_at,
                       started_at, lease_expires_at, ended_at, worker, skipped, skipped_counts,
                       succeeded, failed, scheduled, lost, skipped_count, cancelled, handed_on)
SELECT gen_random_uuid(), %(id)s, n, n = 0, 'retry', 'bench', '', 'noop', 'bulk',
       ARRAY(SELECT n * 50 + i FROM generate_series(0, 49) i), 50, s.state,
       'operation-' || %(id)s || '-' || n || '-00000000', (s.state <> 'planned')::int,
       now() - interval '2 hours', CASE WHEN s.state <> 'planned' THEN s.at END,
       CASE WHEN s.state IN ('running', 'finished') THEN s.at END,
       CASE WHEN s.state = 'running' THEN now() + interval '1 hour' END,
       CASE WHEN s.state = 'finished' THEN s.at + interval '1 second' END, '', '{}', '{}',
       CASE WHEN s.state = 'finished' THEN 50 ELSE 0 END, 0, 0, 0, 0, 0, 0
FROM generate_series(0, %(runs)s - 1) n
CROSS JOIN LATERAL (
    SELECT CASE WHEN n >= %(runs)s - %(planned)s THEN 'planned'
                WHEN n >= %(runs)s - %(planned)s - 20 THEN 'queued'
                WHEN n >= %(runs)s - %(planned)s - 40 THEN 'running'
                ELSE 'finished' END AS state,
           now() - interval '1 hour' + n * interval '1 hour' / %(runs)s AS at
) s

-- name: insert_waiting
-- Inserts runs that wait and have a job, of an operation or, without one, of single entries.
INSERT INTO retry_run (id, operation_id, position, canary, trigger, actor_label, reason, kind, upstream,
                       queue, entry_ids, size, state, job_id, dispatches, created_at, dispatched_at,
                       worker, skipped, skipped_counts, succeeded, failed, scheduled, lost,
                       skipped_count, cancelled, handed_on)
SELECT gen_random_uuid(), %(id)s, n, false, 'retry', 'bench', '', 'page', '', 'bulk', ARRAY[n], 1,
       'queued', 'operation-' || coalesce(%(id)s::text, '') || '-' || n || '-00000000', 1,
       now() - interval '2 hours', now() - interval '1 hour' + n * interval '1 ms', '', '{}', '{}',
       0, 0, 0, 0, 0, 0, 0
FROM generate_series(1, %(runs)s) n

-- name: hold
-- Puts the breaker's hold on the kind of what waits, or on an upstream; the next probe is due.
INSERT INTO retry_hold (kind, upstream, automatic, actor_label, reason, lifted_by, lifted_reason,
                        probes, next_probe_at)
VALUES ('page', %(upstream)s, true, 'bench', '', '', '', 0, now())
