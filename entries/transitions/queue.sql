-- name: lock_free
-- Locks entries in id order and returns their ids, without those that another transaction holds.
SELECT id FROM entries_entry WHERE id = ANY(%(ids)s::bigint[]) ORDER BY id FOR UPDATE SKIP LOCKED

-- name: queue
-- Queues what the verb allows, as a new attempt under the id of its run: the fence from now on. An
-- entry that comes without a run id shares one with others of its kind, source and held upstream,
-- in id order, up to the size of their kind's runs.
--
-- Rows are locked in id order and tested after the lock, so that of two statements the second sees
-- what the first has done. Returns all entries except those moved under a given run id: a million
-- of them need not travel back.
WITH wanted AS MATERIALIZED (
    SELECT * FROM unnest(%(ids)s::bigint[], %(run_ids)s::uuid[]) AS t (id, run_id)
), picked AS MATERIALIZED (
    SELECT e.id, e.kind, e.source_id, e.upstream, e.status, e.attempt, w.run_id
    FROM entries_entry e JOIN wanted w ON w.id = e.id
    WHERE e.id = ANY(%(ids)s::bigint[]) ORDER BY e.id FOR UPDATE OF e
), eligible AS NOT MATERIALIZED (
    SELECT * FROM picked
    WHERE status = ANY(%(sources)s) AND NOT (%(resync)s AND source_id IS NULL)
), numbered AS MATERIALIZED (
    SELECT g.id, g.kind, g.source_id, g.status, coalesce(h.upstream, '') AS upstream,
           (row_number() OVER (PARTITION BY g.kind, g.source_id, h.upstream ORDER BY g.id) - 1)
               / coalesce(s.size, 1) AS chunk,
           gen_random_uuid() AS new_run_id
    FROM eligible g
    LEFT JOIN unnest(%(kinds)s::text[], %(sizes)s::int[]) AS s (kind, size) ON s.kind = g.kind
    LEFT JOIN unnest(%(held_kinds)s::text[], %(held_upstreams)s::text[]) AS h (kind, upstream)
        ON h.kind = g.kind AND h.upstream = g.upstream
    WHERE g.run_id IS NULL
), assigned AS (
    SELECT id, status, '' AS upstream, run_id FROM eligible WHERE run_id IS NOT NULL
    UNION ALL
    SELECT id, status, upstream, first_value(new_run_id) OVER (
        PARTITION BY kind, source_id, upstream, chunk ORDER BY id)
    FROM numbered
), moved AS (
    UPDATE entries_entry e
    SET status = 'queued', attempt = e.attempt + 1, run_id = a.run_id,
        -- A resync that cannot read its source puts everything back.
        next_attempt_at = CASE WHEN %(resync)s THEN e.next_attempt_at END,
        automatic_attempts = CASE WHEN %(new_cycle)s THEN 0 ELSE e.automatic_attempts END,
        status_changed_at = now(), updated_at = now()
    FROM assigned a WHERE e.id = a.id
    RETURNING e.id, e.attempt, e.run_id, a.status, a.upstream
), noted AS (
    INSERT INTO entries_attempt (entry_id, number, run_id, status, previous_status, queued_at,
                                 worker, error_class, error_message, traceback, fingerprint,
                                 is_rescan)
    SELECT m.id, m.attempt, m.run_id, 'queued', m.status, now(), '', '', '', '', '',
           EXISTS (SELECT FROM entries_attempt b
                   WHERE b.entry_id = m.id AND b.number < m.attempt AND b.started_at IS NOT NULL)
    FROM moved m ORDER BY m.id
)
SELECT w.id, coalesce(p.kind, ''), p.status, coalesce(m.attempt, p.attempt, 0), m.run_id,
       p.source_id, coalesce(m.upstream, '')
FROM wanted w LEFT JOIN picked p ON p.id = w.id LEFT JOIN moved m ON m.id = w.id
WHERE m.id IS NULL OR w.run_id IS NULL
ORDER BY w.id
