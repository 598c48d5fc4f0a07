-- name: compare
-- Returns known entries, whether their content is the same, and whether they count as gone; locks
-- nothing. One index lookup a row, whatever the planner believes of a table that is being filled:
-- one guess at a sequential scan makes a large import quadratic.
SELECT t.external_id, e.id, e.content_hash = t.content_hash, e.gone_at IS NOT NULL
FROM unnest(%(external_ids)s::text[], %(hashes)s::text[]) AS t (external_id, content_hash)
CROSS JOIN LATERAL (
    SELECT id, content_hash, gone_at FROM entries_entry
    WHERE @is_in_source AND external_id = t.external_id LIMIT 1
) e

-- name: upsert
-- Creates entries, or stores what changed. Known rows are locked in id order, as in every
-- statement; new ones follow in the order of their external ids, which two syncs share.
INSERT INTO entries_entry (source_id, kind, external_id, title, payload, content_hash, upstream)
SELECT %(source_id)s, %(kind)s, t.external_id, t.title, t.payload::jsonb, t.content_hash,
       t.upstream
FROM unnest(%(external_ids)s::text[], %(titles)s::text[], %(payloads)s::text[], %(hashes)s::text[],
            %(upstreams)s::text[], %(ids)s::bigint[])
    AS t (external_id, title, payload, content_hash, upstream, id)
ORDER BY t.id NULLS LAST, t.external_id
ON CONFLICT (source_id, external_id) DO UPDATE
SET title = excluded.title, payload = excluded.payload, content_hash = excluded.content_hash,
    upstream = CASE entries_entry.kind WHEN excluded.kind THEN excluded.upstream
                    ELSE entries_entry.upstream END,
    gone_at = NULL, updated_at = now()
WHERE entries_entry.content_hash <> excluded.content_hash OR entries_entry.gone_at IS NOT NULL
RETURNING id, xmax = 0
