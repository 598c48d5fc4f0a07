-- name: adopt
-- Marks entries of a source failed that are pending and were never tried, and inserts the attempt
-- that failed elsewhere as their first. Rows are locked in id order and tested after the lock.
-- Returns those that were moved.
WITH given AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(adoptions)s::json) AS t (
        external_id text, error_class text, message text, traceback text, fingerprint text,
        worker text, queued_at timestamptz, started_at timestamptz, failed_at timestamptz)
), found AS MATERIALIZED (
    SELECT e.id, g.* FROM given g
    CROSS JOIN LATERAL (
        SELECT id FROM entries_entry
        WHERE source_id = %(source_id)s::bigint AND external_id = g.external_id LIMIT 1
    ) e
), picked AS MATERIALIZED (
    SELECT id, status, attempt FROM entries_entry WHERE id = ANY(ARRAY(SELECT id FROM found))
    ORDER BY id FOR UPDATE
), moved AS (
    UPDATE entries_entry e
    SET status = 'failed', attempt = 1, run_id = gen_random_uuid(), error_class = f.error_class,
        error_message = f.message, fingerprint = f.fingerprint,
        failed_at = least(coalesce(f.failed_at, f.started_at, f.queued_at, now()), now()),
        status_changed_at = now(), updated_at = now()
    FROM picked p JOIN found f ON f.id = p.id
    WHERE e.id = p.id AND p.status = ANY(%(sources)s) AND p.attempt = 0
    RETURNING e.id, e.external_id, e.kind, e.upstream, e.failed_at, e.run_id
), noted AS (
    INSERT INTO entries_attempt (entry_id, number, run_id, status, previous_status, queued_at,
                                 started_at, ended_at, worker, error_class, error_message,
                                 traceback, fingerprint, began)
    SELECT m.id, 1, m.run_id, 'failed', 'pending', least(f.queued_at, f.started_at, m.failed_at),
           least(f.started_at, m.failed_at), m.failed_at, f.worker, f.error_class, f.message,
           f.traceback, f.fingerprint, true
    FROM moved m JOIN found f ON f.id = m.id ORDER BY m.id
)
SELECT id, external_id, kind, upstream, failed_at FROM moved ORDER BY id
