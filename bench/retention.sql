-- name: move_attempts
-- Makes room below the attempts that there are: a pass ends at the first young ones.
UPDATE entries_attempt SET id = id + 1000000000 WHERE id < 1000000000

-- name: move_sequence
-- Lets new attempts come after all of these.
SELECT setval(pg_get_serial_sequence('entries_attempt', 'id'), 2000000000)

-- name: insert_old_entries
-- Inserts entries at rest with eleven attempts behind them.
INSERT INTO entries_entry (kind, external_id, title, payload, content_hash, status, attempt,
                           automatic_attempts, created_at)
SELECT 'noop', 'old-' || n, 'Old ' || n, '{}', '', 'succeeded', 11, 0, now() - interval '1 year'
FROM generate_series(1, %(count)s) n

-- name: insert_old_attempts
-- Inserts the attempts of these, the first ten a year old.
INSERT INTO entries_attempt (id, entry_id, number, run_id, status, previous_status, queued_at,
                             started_at, ended_at, worker, error_class, error_message, traceback,
                             fingerprint)
SELECT row_number() OVER (ORDER BY n, e.id), e.id, n, gen_random_uuid(), 'failed', 'failed', at, at,
       at, 'bench', 'TransientError', 'HTTP 503', repeat('  File "page.py", line 12' || chr(10), 20),
       '1-503'
FROM entries_entry e CROSS JOIN generate_series(1, 11) n
CROSS JOIN LATERAL (SELECT now() - interval '1 year' * (n <= 10)::int AS at) t
WHERE e.external_id LIKE 'old-%%'
