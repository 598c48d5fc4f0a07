-- name: index_batch
-- Indexes the next entries by id, and returns the last id and how many were missing. What a trigger
-- has written meanwhile is newer and stays.
WITH picked AS MATERIALIZED (
    SELECT id, source_id, kind, upstream, external_id, title FROM entries_entry
    WHERE id > %(after)s AND id <= %(last)s ORDER BY id LIMIT %(limit)s
), written AS (
    INSERT INTO entries_indexedentry (id, source_id, kind, upstream, text)
    SELECT id, source_id, kind, upstream, external_id || chr(31) || title FROM picked ORDER BY id
    ON CONFLICT (id) DO NOTHING
    RETURNING id
)
SELECT (SELECT max(id) FROM picked), (SELECT count(*) FROM written)
