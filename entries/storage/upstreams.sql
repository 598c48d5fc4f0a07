-- name: read
-- Returns the next batch of stored entries of the given kinds, in id order.
SELECT e.id, e.kind, s.slug, e.payload::text, e.upstream
FROM entries_entry e LEFT JOIN entries_source s ON s.id = e.source_id
WHERE e.id > %(after)s AND e.kind = ANY(%(kinds)s) ORDER BY e.id LIMIT %(limit)s

-- name: write
-- Replaces upstreams, locking rows in id order. A row whose upstream has changed since it was read
-- is left alone: its new content was stored with its upstream.
WITH derived AS (
    SELECT * FROM unnest(%(ids)s::bigint[], %(before)s::text[], %(after)s::text[])
        AS t (id, before, after)
), picked AS MATERIALIZED (
    SELECT e.id, d.after FROM entries_entry e JOIN derived d ON d.id = e.id
    WHERE e.upstream = d.before ORDER BY e.id FOR UPDATE OF e
)
UPDATE entries_entry e SET upstream = p.after FROM picked p WHERE e.id = p.id
