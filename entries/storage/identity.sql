-- fragment: is_in_source
-- True for entries of the source, and with NULL for entries of none. Constants decide which half
-- stays, so that the unique index answers; it could not answer "IS NOT DISTINCT FROM".
(source_id = %(source_id)s::bigint OR %(source_id)s::bigint IS NULL AND source_id IS NULL)

-- fragment: known_ids
-- The ids of entries by their external ids. One index lookup a row, whatever the planner believes
-- of a table that is being filled: one guess at a sequential scan makes a large import quadratic.
ARRAY(
    SELECT e.id FROM unnest(%(external_ids)s::text[]) AS t (external_id)
    CROSS JOIN LATERAL (
        SELECT id FROM entries_entry WHERE @is_in_source AND external_id = t.external_id LIMIT 1
    ) e
)
