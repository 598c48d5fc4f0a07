-- name: refresh
-- Stores what the source has now of entries that the run holds, and notes the change on their
-- attempts. Rows are locked in id order; returns the ids that were written.
WITH found AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(found)s::json) AS t (
        entry_id bigint, change text, hash_before text, hash_after text, title text, payload jsonb,
        upstream text)
), picked AS MATERIALIZED (
    SELECT id FROM entries_entry
    WHERE id = ANY(%(ids)s::bigint[]) AND run_id = %(run_id)s AND status = 'running'
    ORDER BY id FOR UPDATE
), stored AS (
    UPDATE entries_entry e
    SET title = coalesce(f.title, e.title), payload = coalesce(f.payload, e.payload),
        upstream = CASE WHEN f.payload IS NULL THEN e.upstream ELSE f.upstream END,
        content_hash = CASE f.change WHEN 'gone' THEN e.content_hash ELSE f.hash_after END,
        gone_at = CASE f.change WHEN 'gone' THEN coalesce(e.gone_at, now()) END,
        updated_at = now()
    FROM picked p JOIN found f ON f.entry_id = p.id
    WHERE e.id = p.id
    RETURNING e.id, e.attempt
), noted AS (
    UPDATE entries_attempt a
    SET change = f.change, hash_after = f.hash_after,
        -- An earlier worker had fetched it and died: the content before that one counts.
        hash_before = CASE WHEN a.change = 'changed' AND f.change = 'changed' THEN a.hash_before
                           ELSE f.hash_before END
    FROM stored s JOIN found f ON f.entry_id = s.id
    WHERE a.entry_id = s.id AND a.number = s.attempt
)
SELECT id FROM stored
