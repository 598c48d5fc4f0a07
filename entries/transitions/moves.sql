-- fragment: picked
-- Locks the entries in id order; their status is the one after the wait for the lock.
WITH picked AS MATERIALIZED (
    SELECT id, status FROM entries_entry WHERE id = ANY(%(ids)s::bigint[]) ORDER BY id FOR UPDATE
)

-- fragment: not_moved
-- Returns what was not moved with its status, NULL where there is no such entry: a million moves
-- need not travel back.
SELECT w.id, p.status
FROM unnest(%(ids)s::bigint[]) AS w (id)
LEFT JOIN picked p ON p.id = w.id LEFT JOIN moved m ON m.id = w.id
WHERE m.id IS NULL ORDER BY w.id

-- name: defer
-- Schedules pending entries: their first attempt is due at a time. Returns those left alone.
@picked, moved AS (
    UPDATE entries_entry e
    SET status = 'scheduled', next_attempt_at = %(until)s, status_changed_at = now(),
        updated_at = now()
    FROM picked p WHERE e.id = p.id AND p.status = ANY(%(sources)s)
    RETURNING e.id
)
@not_moved

-- name: stop
-- Marks scheduled entries failed: no automatic retry follows. One that was never tried gets an error
-- that says so. Returns those left alone.
@picked, moved AS (
    UPDATE entries_entry e
    SET status = 'failed', next_attempt_at = NULL, failed_at = coalesce(e.failed_at, now()),
        error_class = CASE e.fingerprint WHEN '' THEN %(error_class)s ELSE e.error_class END,
        error_message = CASE e.fingerprint WHEN '' THEN %(message)s ELSE e.error_message END,
        fingerprint = CASE e.fingerprint WHEN '' THEN %(fingerprint)s ELSE e.fingerprint END,
        status_changed_at = now(), updated_at = now()
    FROM picked p WHERE e.id = p.id AND p.status = ANY(%(sources)s)
    RETURNING e.id
)
@not_moved

-- name: discard
-- Marks entries discarded. Returns those left alone.
@picked, moved AS (
    UPDATE entries_entry e
    SET status = 'discarded', next_attempt_at = NULL, status_changed_at = now(), updated_at = now()
    FROM picked p WHERE e.id = p.id AND p.status = ANY(%(sources)s)
    RETURNING e.id
)
@not_moved

-- name: restore
-- Marks discarded entries failed if they ever failed, else pending. Returns those left alone.
@picked, moved AS (
    UPDATE entries_entry e
    SET status = CASE WHEN e.failed_at IS NULL OR e.fingerprint = '' THEN 'pending'
                      ELSE 'failed' END,
        status_changed_at = now(), updated_at = now()
    FROM picked p WHERE e.id = p.id AND p.status = ANY(%(sources)s)
    RETURNING e.id
)
@not_moved
