-- fragment: under_way
-- Those of `due` (id) that an open run holds: planned, queued or running.
under_way AS MATERIALIZED (
    SELECT u.id FROM retry_run r CROSS JOIN LATERAL unnest(r.entry_ids) AS u (id)
    JOIN due d ON d.id = u.id
    WHERE r.state IN ('planned', 'queued', 'running') AND EXISTS (SELECT FROM due)
)

-- fragment: removing_runs
-- Deletes the runs of the operations in `locked` (id).
removed_runs AS (
    DELETE FROM retry_run r USING locked l WHERE r.operation_id = l.id
)

-- name: remove_runs
-- Deletes runs that ended before the cutoff, belong to no operation, and whose entries are not at work
-- for them; in the order in which they were made.
WITH scanned AS MATERIALIZED (
    SELECT id, created_at AS at, operation_id, state, ended_at, entry_ids FROM retry_run
    WHERE created_at < %(cutoff)s
      AND (created_at, id) > (%(after_at)s::timestamptz, %(after_id)s::uuid)
    ORDER BY created_at, id LIMIT %(limit)s
), due AS MATERIALIZED (
    SELECT c.id FROM scanned c
    WHERE c.operation_id IS NULL AND c.state IN ('finished', 'cancelled')
      AND c.ended_at < %(cutoff)s
      AND NOT EXISTS (SELECT FROM entries_entry e WHERE e.id = ANY(c.entry_ids)
                        AND e.run_id = c.id AND e.status IN ('queued', 'running'))
), locked AS MATERIALIZED (
    SELECT id FROM retry_run
    WHERE id IN (SELECT id FROM due) AND NOT %(dry)s ORDER BY id FOR UPDATE SKIP LOCKED
), removed AS (
    DELETE FROM retry_run r USING locked l WHERE r.id = l.id RETURNING r.id
)
SELECT (SELECT count(*) FROM scanned),
       CASE WHEN %(dry)s THEN (SELECT count(*) FROM due) ELSE (SELECT count(*) FROM removed) END,
       l.at::text, l.id::text
FROM (SELECT) one LEFT JOIN (SELECT at, id FROM scanned ORDER BY at DESC, id DESC LIMIT 1) l ON true
