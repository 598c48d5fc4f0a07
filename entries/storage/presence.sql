-- name: drop_tables
-- Removes what an earlier reading of this session has left.
DROP TABLE IF EXISTS pg_temp.sync_seen, pg_temp.sync_gone

-- name: create_seen
-- The external ids seen in this reading; "stored" is false for an item that cannot be stored.
CREATE TEMPORARY TABLE sync_seen (external_id text PRIMARY KEY, stored boolean NOT NULL)

-- name: create_gone
-- The entries that this reading has not seen.
CREATE TEMPORARY TABLE sync_gone (id bigint PRIMARY KEY)

-- name: see
-- Notes external ids, each once, and returns those that were not seen as storable before.
INSERT INTO pg_temp.sync_seen AS s (external_id, stored)
SELECT t.external_id, true FROM unnest(%(external_ids)s::text[]) AS t (external_id)
ON CONFLICT (external_id) DO UPDATE SET stored = true WHERE NOT s.stored
RETURNING external_id

-- name: see_unstorable
-- Notes external ids of items that the source has and that cannot be stored.
INSERT INTO pg_temp.sync_seen (external_id, stored)
SELECT DISTINCT t.external_id, false FROM unnest(%(external_ids)s::text[]) AS t (external_id)
ON CONFLICT (external_id) DO NOTHING

-- name: find_gone
-- Collects the entries that were not seen. Entries created while the source was read are left out:
-- the reading may have missed them.
INSERT INTO pg_temp.sync_gone (id)
SELECT e.id FROM entries_entry e
WHERE e.source_id = %(source_id)s AND e.gone_at IS NULL AND e.created_at <= %(since)s
  AND NOT EXISTS (SELECT FROM pg_temp.sync_seen s WHERE s.external_id = e.external_id)

-- name: sample_gone
-- Returns the first of the collected entries.
SELECT e.id, e.external_id, e.title
FROM pg_temp.sync_gone g JOIN entries_entry e ON e.id = g.id ORDER BY g.id LIMIT %(limit)s

-- name: next_gone
-- Returns the next batch of collected ids.
SELECT id FROM pg_temp.sync_gone WHERE id > %(after)s ORDER BY id LIMIT %(limit)s

-- name: mark_gone
-- Marks entries as gone, locking them in id order; those already marked keep their time.
WITH picked AS (
    SELECT id FROM entries_entry WHERE id = ANY(%(ids)s) AND gone_at IS NULL
    ORDER BY id FOR UPDATE
)
UPDATE entries_entry e SET gone_at = clock_timestamp(), updated_at = clock_timestamp()
FROM picked WHERE e.id = picked.id
