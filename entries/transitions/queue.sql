-- name: lock_free
-- Locks entries in id order and returns their ids, without those that another transaction holds.
SELECT id FROM entries_entry WHERE id = ANY(%(ids)s::bigint[]) ORDER BY id FOR UPDATE SKIP LOCKED

-- fragment: picking
-- Locks entries in id order and tests them after the lock, so that of two statements the second
-- sees what the first has done. `picked` has them as they were, `eligible` those that the verb moves.
picked AS MATERIALIZED (
    SELECT id, kind, source_id, upstream, status, attempt FROM entries_entry
    WHERE id = ANY(%(ids)s::bigint[]) ORDER BY id FOR UPDATE
), eligible AS NOT MATERIALIZED (
    SELECT * FROM picked
    WHERE status = ANY(%(sources)s) AND NOT (%(resync)s AND source_id IS NULL)
)

-- fragment: moving
-- Queues the entries of `assigned` (id, status, run_id), each as a new attempt under the id of its
-- run: the fence from now on. `moved` has them as they are, with the status that they had.
moved AS (
    UPDATE entries_entry e
    SET status = 'queued', attempt = e.attempt + 1, run_id = a.run_id,
        -- A resync that cannot read its source puts everything back.
        next_attempt_at = CASE WHEN %(resync)s THEN e.next_attempt_at END,
        automatic_attempts = CASE WHEN %(new_cycle)s THEN 0 ELSE e.automatic_attempts END,
        status_changed_at = now(), updated_at = now()
    FROM assigned a WHERE e.id = a.id
    RETURNING e.id, e.attempt, e.run_id, a.status
), noted AS (
    INSERT INTO entries_attempt (entry_id, number, run_id, status, previous_status, queued_at,
                                 worker, error_class, error_message, traceback, fingerprint,
                                 is_rescan)
    SELECT m.id, m.attempt, m.run_id, 'queued', m.status, now(), '', '', '', '', '',
           EXISTS (SELECT FROM entries_attempt b
                   WHERE b.entry_id = m.id AND b.number < m.attempt AND b.started_at IS NOT NULL)
    FROM moved m ORDER BY m.id
)

-- name: queue
-- Queues entries under the run ids that they come with. Returns those left alone: a million others
-- need not travel back.
WITH wanted AS MATERIALIZED (
    SELECT * FROM unnest(%(ids)s::bigint[], %(run_ids)s::uuid[]) AS t (id, run_id)
), @picking, assigned AS (
    SELECT e.id, e.status, w.run_id FROM eligible e JOIN wanted w ON w.id = e.id
), @moving
SELECT w.id, p.status, coalesce(p.attempt, 0), NULL::uuid, p.source_id
FROM wanted w LEFT JOIN picked p ON p.id = w.id LEFT JOIN moved m ON m.id = w.id
WHERE m.id IS NULL
ORDER BY w.id
