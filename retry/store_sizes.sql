-- name: database_size
-- Gives the bytes of the database that this session is connected to.
SELECT pg_database_size(current_database())

-- name: table_sizes
-- Gives the largest tables of the schema with their indexes: name, bytes, estimated rows.
SELECT c.relname, pg_total_relation_size(c.oid) AS bytes, greatest(c.reltuples, 0)::bigint
FROM pg_class c
WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
ORDER BY bytes DESC, c.relname LIMIT %(most)s
