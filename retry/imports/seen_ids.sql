-- name: drop_table
-- Drops what an earlier import of this session left behind.
DROP TABLE IF EXISTS pg_temp.import_seen

-- name: create_table
-- Creates the table of this session's import: each id once, with the line it was first seen in.
CREATE TEMPORARY TABLE import_seen (external_id text PRIMARY KEY, line bigint NOT NULL)

-- name: add_ids
-- Adds ids that are not there yet and returns those; lines of known ids stay as they are.
INSERT INTO pg_temp.import_seen (external_id, line)
SELECT * FROM unnest(%(ids)s::text[], %(lines)s::bigint[])
ON CONFLICT (external_id) DO NOTHING
RETURNING external_id

-- name: find_lines
-- Finds the lines that known ids were first seen in.
SELECT external_id, line FROM pg_temp.import_seen WHERE external_id = ANY(%(ids)s)
