-- fragment: content
-- What entries hold, in id order, and their payloads as PostgreSQL writes them.
SELECT e.id, e.kind, s.slug, e.status, e.title, e.payload::text
FROM entries_entry e LEFT JOIN entries_source s ON s.id = e.source_id
WHERE e.id = ANY(%(ids)s::bigint[]) ORDER BY e.id

-- name: read
-- Returns what entries hold; locks nothing.
@content

-- name: read_locked
-- Returns what entries hold, and locks them in id order.
@content FOR UPDATE OF e

-- name: lock
-- Locks an entry against other writers until the transaction ends.
SELECT id FROM entries_entry WHERE id = %(id)s FOR NO KEY UPDATE

-- name: edit
-- Stores new content into entries that still hold what was read, and keeps both for the attempt that
-- follows. Rows are locked in id order; returns the ids that were written.
WITH given AS MATERIALIZED (
    SELECT * FROM unnest(%(ids)s::bigint[], %(titles_before)s::text[], %(payloads_before)s::text[],
                         %(titles)s::text[], %(payloads)s::text[], %(hashes)s::text[],
                         %(upstreams)s::text[])
        AS t (id, title_before, payload_before, title, payload, content_hash, upstream)
), picked AS MATERIALIZED (
    SELECT id, attempt, title, payload, content_hash, upstream FROM entries_entry
    WHERE id = ANY(%(ids)s::bigint[]) ORDER BY id FOR UPDATE
), written AS (
    UPDATE entries_entry e
    SET title = g.title, payload = g.payload::jsonb, content_hash = g.content_hash,
        upstream = g.upstream, updated_at = now()
    FROM picked p JOIN given g ON g.id = p.id
    WHERE e.id = p.id AND p.title = g.title_before AND p.payload = g.payload_before::jsonb
    RETURNING e.id
), noted AS (
    INSERT INTO entries_edit (entry_id, attempt, title_before, title_after, payload_before,
                              payload_after, hash_before, hash_after, upstream_before)
    SELECT p.id, p.attempt + 1, p.title, g.title, p.payload, g.payload::jsonb, p.content_hash,
           g.content_hash, p.upstream
    FROM written w JOIN picked p ON p.id = w.id JOIN given g ON g.id = w.id ORDER BY p.id
)
SELECT id FROM written ORDER BY id

-- name: undo
-- Gives entries at rest the content back that they had before the edit for an attempt of one of the
-- runs, where they still hold what that edit stored. Rows are locked in id order; returns the ids
-- that were written.
WITH picked AS MATERIALIZED (
    SELECT id, status, title, payload FROM entries_entry
    WHERE id = ANY(%(ids)s::bigint[]) ORDER BY id FOR UPDATE
), chosen AS MATERIALIZED (
    SELECT DISTINCT ON (d.entry_id) d.*
    FROM entries_edit d JOIN entries_attempt a ON a.entry_id = d.entry_id AND a.number = d.attempt
    WHERE d.entry_id = ANY(%(ids)s::bigint[]) AND a.run_id = ANY(%(run_ids)s::uuid[])
    ORDER BY d.entry_id, d.attempt DESC
), written AS (
    UPDATE entries_entry e
    SET title = c.title_before, payload = c.payload_before, content_hash = c.hash_before,
        upstream = c.upstream_before, updated_at = now()
    FROM picked p JOIN chosen c ON c.entry_id = p.id
    WHERE e.id = p.id AND p.title = c.title_after AND p.payload = c.payload_after
      AND p.status = ANY(%(allowed)s)
    RETURNING e.id
)
SELECT p.id, p.status, w.id IS NOT NULL FROM picked p LEFT JOIN written w ON w.id = p.id
ORDER BY p.id
