-- name: insert_failed_entries
-- Inserts so many failed entries of the kind noop; their attempts are inserted after them.
INSERT INTO entries_entry (kind, external_id, title, payload, content_hash, status, attempt,
                           automatic_attempts, error_class, error_message, fingerprint, failed_at)
SELECT 'noop', 'https://example.com/articles/' || n, 'Article ' || n,
       jsonb_build_object('url', 'https://example.com/articles/' || n), md5(n::text),
       'failed', 1, 0, 'TransientError', 'HTTP 503', '1-503', now()
FROM generate_series(1, %(count)s) n

-- name: insert_waiting_entries
-- Inserts so many failed entries of a kind that asks another server; attempts come after them.
INSERT INTO entries_entry (kind, external_id, title, payload, content_hash, upstream, status,
                           attempt, automatic_attempts, error_class, error_message, fingerprint,
                           failed_at)
SELECT %(kind)s, 'waiting-' || n, 'Waiting ' || n,
       %(payload)s::jsonb || jsonb_build_object('number', n), md5(n::text), %(upstream)s,
       'failed', 1, 0, 'TransientError', 'HTTP 503', '1-503', now()
FROM generate_series(1, %(count)s) n

-- name: insert_attempts
-- Inserts the attempt that failed for every entry there is.
INSERT INTO entries_attempt (entry_id, number, run_id, status, previous_status, worker,
                             error_class, error_message, traceback, fingerprint)
SELECT id, 1, gen_random_uuid(), 'failed', 'pending', 'bench', error_class, error_message, '',
       fingerprint
FROM entries_entry

-- name: insert_pages
-- Inserts so many failed entries of the kind page, without attempts, and returns their ids.
INSERT INTO entries_entry (kind, external_id, title, payload, content_hash, status, attempt,
                           automatic_attempts, error_class, error_message, fingerprint, failed_at)
SELECT 'page', n, n, '{}', '', 'failed', 1, 0, 'TransientError', 'HTTP 503', '1-503', now()
FROM generate_series(1, %(count)s) n
RETURNING id

-- name: is_idle
-- Tells whether no other session of this database has a statement or a transaction open.
SELECT NOT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND datname = current_database() AND state <> 'idle'
)
