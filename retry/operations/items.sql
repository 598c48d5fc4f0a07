-- name: run_items
-- Gives at most ``limit`` entries of a run in the order of their ids, behind ``after``, with their
-- outcome in it. Entries that went on in another run are left out.
WITH left_out AS (
    SELECT s.key AS reason, v.value::bigint AS entry_id
    FROM retry_run r, jsonb_each(r.skipped) AS s, jsonb_array_elements_text(s.value) AS v
    WHERE r.id = %(run)s
), listed AS (
    SELECT u.id, l.reason, a.number, a.error_class, a.error_message, a.ended_at,
           CASE WHEN l.reason IS NOT NULL THEN 'skipped'
                WHEN a.status = 'failed' AND e.status = 'scheduled' AND e.run_id = %(run)s
                    THEN 'scheduled'
                -- The attempt of a running entry is written when it ends.
                WHEN a.status = 'queued' AND e.status = 'running' THEN 'running'
                WHEN a.status IS NOT NULL THEN a.status
                ELSE %(otherwise)s END AS outcome
    FROM unnest(%(ids)s::bigint[]) AS u (id)
    LEFT JOIN entries_attempt a ON a.entry_id = u.id AND a.run_id = %(run)s
    LEFT JOIN entries_entry e ON e.id = u.id
    LEFT JOIN left_out l ON l.entry_id = u.id
)
SELECT id, outcome, reason, number, coalesce(error_class, ''), coalesce(error_message, ''), ended_at
FROM listed
WHERE id > %(after)s AND outcome <> 'lost' AND coalesce(%(outcome)s::text, outcome) = outcome
ORDER BY id LIMIT %(limit)s
