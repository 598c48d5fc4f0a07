-- name: claim
-- Moves queued entries of the run to running, except those that depend on a held upstream. Rows are
-- locked in id order. May be repeated: returns again what the same worker has claimed before.
--
-- The attempts are written once, with what becomes of them: while it runs, the entry says who has it
-- and since when.
WITH picked AS MATERIALIZED (
    SELECT id FROM entries_entry
    WHERE id = ANY(%(ids)s::bigint[]) AND run_id = %(run_id)s
      AND (status = 'queued' AND upstream <> ALL(%(held)s::text[])
        -- Claimed by an earlier statement whose answer was lost.
        OR status = 'running' AND worker = %(worker)s)
    ORDER BY id FOR UPDATE
), moved AS (
    UPDATE entries_entry e
    SET status = 'running', worker = %(worker)s, updated_at = now(),
        status_changed_at = CASE e.status WHEN 'running' THEN e.status_changed_at ELSE now() END
    FROM picked p WHERE e.id = p.id
    RETURNING e.id, e.kind, e.source_id, e.external_id, e.title, e.payload, e.attempt,
              e.automatic_attempts, e.upstream
)
SELECT m.id, m.kind, s.slug, m.external_id, m.title, m.payload::text, m.attempt,
       m.automatic_attempts, coalesce(a.is_rescan, false), coalesce(a.change, ''), m.upstream
FROM moved m LEFT JOIN entries_attempt a ON a.entry_id = m.id AND a.number = m.attempt
LEFT JOIN entries_source s ON s.id = m.source_id ORDER BY m.id

-- name: begin
-- Marks the current attempts of entries that the run holds as begun.
UPDATE entries_attempt a SET began = true
FROM entries_entry e
WHERE e.id = ANY(%(ids)s::bigint[]) AND e.run_id = %(run_id)s AND e.status = 'running'
  AND a.entry_id = e.id AND a.number = e.attempt

-- fragment: held
-- Locks, in id order, the entries that the run holds, and reads who has claimed them and when.
SELECT e.id, e.worker, e.status_changed_at AS claimed_at FROM entries_entry e
WHERE e.id = ANY(%(ids)s::bigint[]) AND e.run_id = %(run_id)s AND e.status = 'running'
ORDER BY e.id FOR UPDATE

-- name: finish
-- Writes the outcomes of entries that the run still holds, to them and to their attempts. Rows are
-- locked in id order; returns the ids that were written.
WITH ended AS MATERIALIZED (
    SELECT t.id, t.status, t.result, coalesce(t.error_class, '') AS error_class,
           coalesce(t.message, '') AS message, coalesce(t.traceback, '') AS traceback,
           coalesce(t.fingerprint, '') AS fingerprint, t.delay,
           coalesce(t.transient, false) AS transient
    FROM json_to_recordset(%(outcomes)s::json) AS t (
        id bigint, status text, result jsonb, error_class text, message text, traceback text,
        fingerprint text, delay float8, transient boolean)
), picked AS MATERIALIZED (
    @held
), moved AS (
    UPDATE entries_entry e
    SET status = o.status, worker = '',
        result = CASE WHEN o.status = 'succeeded' THEN o.result ELSE e.result END,
        error_class = o.error_class, error_message = o.message, fingerprint = o.fingerprint,
        failed_at = CASE o.status WHEN 'failed' THEN now() WHEN 'scheduled' THEN e.failed_at END,
        next_attempt_at = now() + make_interval(secs => o.delay),
        automatic_attempts = e.automatic_attempts + (o.status = 'scheduled')::int,
        status_changed_at = now(), updated_at = now()
    FROM picked p JOIN ended o ON o.id = p.id
    WHERE e.id = p.id
    RETURNING e.id, e.attempt, p.worker, p.claimed_at
), noted AS (
    UPDATE entries_attempt a
    SET status = CASE o.status WHEN 'scheduled' THEN 'failed' ELSE o.status END,
        worker = m.worker, started_at = m.claimed_at, ended_at = clock_timestamp(),
        result = o.result, error_class = o.error_class, error_message = o.message,
        traceback = o.traceback, fingerprint = o.fingerprint, transient = o.transient
    FROM moved m JOIN ended o ON o.id = m.id
    WHERE a.entry_id = m.id AND a.number = m.attempt
)
SELECT id FROM moved ORDER BY id

-- name: finish_succeeded
-- Does what "finish" does, where all outcomes are successes: hardly anything has to be told.
WITH ended AS MATERIALIZED (
    SELECT t.id, nullif(t.result, 'null') AS result
    FROM ROWS FROM (unnest(%(ids)s::bigint[]), jsonb_array_elements(%(results)s::jsonb))
        AS t (id, result)
), picked AS MATERIALIZED (
    @held
), moved AS (
    UPDATE entries_entry e
    SET status = 'succeeded', worker = '', result = o.result, error_class = '',
        error_message = '', fingerprint = '', failed_at = NULL, next_attempt_at = NULL,
        status_changed_at = now(), updated_at = now()
    FROM picked p JOIN ended o ON o.id = p.id
    WHERE e.id = p.id
    RETURNING e.id, e.attempt, e.result, p.worker, p.claimed_at
), noted AS (
    UPDATE entries_attempt a
    SET status = 'succeeded', worker = m.worker, started_at = m.claimed_at,
        ended_at = clock_timestamp(), result = m.result
    FROM moved m WHERE a.entry_id = m.id AND a.number = m.attempt
)
SELECT id FROM moved

-- name: find_finished
-- Returns the entries whose work under this run id has ended.
SELECT id FROM entries_entry
WHERE id = ANY(%(ids)s::bigint[]) AND run_id = %(run_id)s AND status NOT IN ('queued', 'running')

-- name: reassign
-- Gives queued entries of one run to another: the same attempt, a new fence. Rows are locked in id
-- order; returns those that were moved.
WITH picked AS MATERIALIZED (
    SELECT id FROM entries_entry
    WHERE id = ANY(%(ids)s::bigint[]) AND run_id = %(run_id)s AND status = 'queued'
    ORDER BY id FOR UPDATE
), moved AS (
    UPDATE entries_entry e SET run_id = %(new_run_id)s, updated_at = now()
    FROM picked p WHERE e.id = p.id RETURNING e.id, e.attempt
), noted AS (
    UPDATE entries_attempt a SET run_id = %(new_run_id)s
    FROM moved m WHERE a.entry_id = m.id AND a.number = m.attempt
)
SELECT id, attempt FROM moved ORDER BY id
