-- fragment: removing_entries
-- Deletes the entries in `doomed` (id) that are still at rest and have been since the cutoff, with
-- their attempts, edits and sent tasks. Rows are locked in id order; those that others have locked stay.
locked_entries AS MATERIALIZED (
    SELECT id FROM entries_entry
    WHERE id IN (SELECT id FROM doomed) AND status IN ('succeeded', 'failed', 'discarded')
      AND status_changed_at < %(cutoff)s AND NOT %(dry)s
    ORDER BY id FOR UPDATE SKIP LOCKED
), removed_edits AS (
    DELETE FROM entries_edit d USING locked_entries l WHERE d.entry_id = l.id
), removed_attempts AS (
    DELETE FROM entries_attempt a USING locked_entries l WHERE a.entry_id = l.id
), removed_sent_tasks AS (
    DELETE FROM entries_senttask t USING locked_entries l WHERE t.entry_id = l.id
), removed_entries AS (
    DELETE FROM entries_entry e USING locked_entries l WHERE e.id = l.id RETURNING e.id
)

-- fragment: old_attempts
-- The next attempts in id order, and what decides about them.
scanned AS MATERIALIZED (
    SELECT id, queued_at AS at, entry_id, number, coalesce(ended_at, queued_at) AS ended_at,
           traceback <> '' AS has_traceback
    FROM entries_attempt WHERE id > %(after_id)s::bigint ORDER BY id LIMIT %(limit)s
)

-- fragment: attempts_report
-- How many rows were old enough to be looked at, how many were due or changed, and the last one.
SELECT (SELECT count(*) FROM scanned WHERE at < %(cutoff)s),
       CASE WHEN %(dry)s THEN (SELECT count(*) FROM due) ELSE (SELECT count(*) FROM removed) END,
       '', (SELECT max(id)::text FROM scanned WHERE at < %(cutoff)s)

-- name: remove_attempts
-- Deletes attempts that ended before the cutoff, with the edits made for them. The last attempt of an
-- entry that was started stays, and all that came after it: it is what the entry's state is about.
WITH @old_attempts, due AS MATERIALIZED (
    SELECT c.id FROM scanned c JOIN entries_entry e ON e.id = c.entry_id
    WHERE c.ended_at < %(cutoff)s AND e.status NOT IN ('queued', 'running')
      AND EXISTS (SELECT FROM entries_attempt n
                  WHERE n.entry_id = c.entry_id AND n.number > c.number
                    AND n.started_at IS NOT NULL AND n.ended_at IS NOT NULL)
), locked AS MATERIALIZED (
    SELECT id, entry_id, number FROM entries_attempt
    WHERE id IN (SELECT id FROM due) AND NOT %(dry)s ORDER BY id FOR UPDATE SKIP LOCKED
), removed_edits AS (
    DELETE FROM entries_edit d USING locked l
    WHERE d.entry_id = l.entry_id AND d.attempt = l.number
), removed AS (
    DELETE FROM entries_attempt a USING locked l WHERE a.id = l.id RETURNING a.id
)
@attempts_report

-- name: blank_tracebacks
-- Empties the tracebacks of attempts that ended before the cutoff, unless their entry is still failed
-- or waiting because of them.
WITH @old_attempts, due AS MATERIALIZED (
    SELECT c.id FROM scanned c JOIN entries_entry e ON e.id = c.entry_id
    WHERE c.has_traceback AND c.ended_at < %(cutoff)s
      AND (c.number < e.attempt OR e.status IN ('succeeded', 'discarded'))
), locked AS MATERIALIZED (
    SELECT id FROM entries_attempt
    WHERE id IN (SELECT id FROM due) AND NOT %(dry)s ORDER BY id FOR UPDATE SKIP LOCKED
), removed AS (
    UPDATE entries_attempt a SET traceback = '' FROM locked l WHERE a.id = l.id RETURNING a.id
)
@attempts_report
