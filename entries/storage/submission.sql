-- name: find
-- Returns what known entries hold, without locking them.
SELECT external_id, title, payload, kind, status FROM entries_entry
WHERE id = ANY(@known_ids) ORDER BY id

-- name: lock
-- Returns what known entries hold, and locks them in id order.
SELECT external_id, title, payload, kind, status FROM entries_entry
WHERE id = ANY(@known_ids) ORDER BY id FOR UPDATE

-- name: store
-- Creates entries, or refreshes known ones of the same kind that may take new content; content is
-- compared itself, because a stored hash may be outdated. Returns one row for each item, without an
-- id where another transaction created its entry meanwhile.
--
-- Known rows are locked in id order, as in every statement; only then new ones are inserted, in the
-- order of their external ids. No transaction that inserts waits for one that still locks, so there
-- is no circle.
WITH given AS MATERIALIZED (
    SELECT * FROM unnest(%(external_ids)s::text[], %(titles)s::text[], %(payloads)s::text[],
                         %(hashes)s::text[], %(upstreams)s::text[])
        AS t (external_id, title, payload, content_hash, upstream)
), picked AS MATERIALIZED (
    SELECT id, external_id, kind, status, attempt, title, payload, content_hash, gone_at
    FROM entries_entry WHERE id = ANY(@known_ids)
    ORDER BY id FOR UPDATE
), refreshed AS (
    UPDATE entries_entry e
    SET title = g.title, payload = g.payload::jsonb, content_hash = g.content_hash,
        upstream = g.upstream, gone_at = NULL, updated_at = now()
    FROM picked p JOIN given g ON g.external_id = p.external_id
    WHERE e.id = p.id AND p.kind = %(kind)s AND p.status = ANY(%(stored_into)s)
      AND (p.title <> g.title OR p.payload <> g.payload::jsonb
           OR p.content_hash <> g.content_hash OR p.gone_at IS NOT NULL)
), created AS (
    INSERT INTO entries_entry (source_id, kind, external_id, title, payload, content_hash, upstream)
    SELECT %(source_id)s::bigint, %(kind)s, g.external_id, g.title, g.payload::jsonb,
           g.content_hash, g.upstream
    FROM given g WHERE g.external_id NOT IN (SELECT external_id FROM picked)
    ORDER BY g.external_id
    ON CONFLICT (source_id, external_id) DO NOTHING
    RETURNING id, external_id
)
SELECT coalesce(p.id, c.id), g.external_id, p.status, coalesce(p.attempt, 0),
       coalesce(p.title <> g.title OR p.payload <> g.payload::jsonb, false),
       coalesce(p.kind = %(kind)s, true)
FROM given g
LEFT JOIN picked p ON p.external_id = g.external_id
LEFT JOIN created c ON c.external_id = g.external_id
