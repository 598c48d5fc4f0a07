-- name: queue
-- Queues failed entries with their attempts, as one run; nothing else is written.
WITH moved AS (
    UPDATE entries_entry SET status = 'queued', attempt = attempt + 1, run_id = %(run_id)s,
           status_changed_at = now(), updated_at = now()
    WHERE id = ANY(%(ids)s) AND status = 'failed' RETURNING id, attempt, run_id
)
INSERT INTO entries_attempt (entry_id, number, run_id, status, previous_status, worker,
                             error_class, error_message, traceback, fingerprint)
SELECT id, attempt, run_id, 'queued', 'failed', '', '', '', '', '' FROM moved

-- name: move
-- Moves entries and their attempts from one status to the next.
WITH moved AS (
    UPDATE entries_entry SET status = %(to)s, status_changed_at = now(), updated_at = now()
    WHERE id = ANY(%(ids)s) AND status = %(was)s RETURNING id, attempt
)
UPDATE entries_attempt a SET status = %(to)s,
       started_at = CASE WHEN %(to)s = 'running' THEN now() ELSE started_at END,
       ended_at = CASE WHEN %(to)s = 'succeeded' THEN now() END
FROM moved m WHERE a.entry_id = m.id AND a.number = m.attempt
