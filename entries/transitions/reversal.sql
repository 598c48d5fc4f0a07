-- fragment: previous
-- What an entry gets back: the status it had before it was queued, and a due time where that is
-- scheduled.
UPDATE entries_entry e
SET status = p.previous_status, worker = '', status_changed_at = now(), updated_at = now(),
    next_attempt_at = CASE p.previous_status
        WHEN 'scheduled' THEN coalesce(e.next_attempt_at, now()) END
FROM picked p WHERE e.id = p.id RETURNING e.id, e.attempt

-- name: cancel
-- Reverses entries that the run has queued and no worker has claimed. Rows are locked in id order;
-- returns the ids that were written.
WITH picked AS MATERIALIZED (
    SELECT e.id, e.attempt, a.previous_status
    FROM entries_entry e JOIN entries_attempt a ON a.entry_id = e.id AND a.number = e.attempt
    WHERE e.id = ANY(%(ids)s::bigint[]) AND e.run_id = %(run_id)s AND e.status = 'queued'
    ORDER BY e.id FOR UPDATE OF e
), moved AS (
    @previous
), noted AS (
    UPDATE entries_attempt a SET status = 'cancelled', ended_at = clock_timestamp()
    FROM moved m WHERE a.entry_id = m.id AND a.number = m.attempt
)
SELECT id FROM moved

-- name: revert
-- Reverses entries that the run has claimed; their attempts say why. Rows are locked in id order;
-- returns the ids that were written.
WITH ended AS MATERIALIZED (
    SELECT t.id, t.status, coalesce(t.error_class, '') AS error_class,
           coalesce(t.message, '') AS message, coalesce(t.traceback, '') AS traceback,
           coalesce(t.fingerprint, '') AS fingerprint
    FROM json_to_recordset(%(ended)s::json) AS t (
        id bigint, status text, error_class text, message text, traceback text, fingerprint text)
), picked AS MATERIALIZED (
    SELECT e.id, e.attempt, e.worker, e.status_changed_at AS claimed_at, a.previous_status
    FROM entries_entry e JOIN entries_attempt a ON a.entry_id = e.id AND a.number = e.attempt
    WHERE e.id = ANY(%(ids)s::bigint[]) AND e.run_id = %(run_id)s AND e.status = 'running'
    ORDER BY e.id FOR UPDATE OF e
), moved AS (
    @previous
), noted AS (
    UPDATE entries_attempt a
    SET status = o.status, worker = p.worker, started_at = p.claimed_at,
        ended_at = clock_timestamp(), error_class = o.error_class, error_message = o.message,
        traceback = o.traceback, fingerprint = o.fingerprint
    FROM moved m JOIN picked p ON p.id = m.id JOIN ended o ON o.id = m.id
    WHERE a.entry_id = m.id AND a.number = m.attempt
)
SELECT id FROM moved
