-- name: find_known_ids
-- Finds which of the ids %(ids)s the source has entries for: a row for each that it has, with its
-- place n in the list and whether the entry's payload holds all of payloads[n].
SELECT t.n, e.payload @> t.payload
FROM unnest(%(n)s::int[], %(ids)s::text[], %(payloads)s::jsonb[]) AS t (n, external_id, payload)
CROSS JOIN LATERAL (
    SELECT payload FROM entries_entry
    WHERE source_id = %(source_id)s AND external_id = t.external_id
    OFFSET 0
) e
