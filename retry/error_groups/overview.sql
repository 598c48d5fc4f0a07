-- name: count
-- Counts failed entries of each fingerprint, up to ``stop``, in the index alone.
SELECT f.name, (
    SELECT count(*) FROM (
        SELECT FROM entries_entry e
        WHERE e.status = 'failed' AND e.fingerprint = f.name LIMIT %(stop)s) bounded)
FROM unnest(%(fingerprints)s::text[]) AS f (name)

-- name: last_operations
-- Finds the newest operation whose filter names each fingerprint, of those that have one.
SELECT f.name, o.id
FROM unnest(%(fingerprints)s::text[]) AS f (name)
CROSS JOIN LATERAL (
    SELECT id FROM retry_operation
    WHERE selection -> 'filter' ? 'fingerprint'
      AND selection -> 'filter' ->> 'fingerprint' = f.name
    ORDER BY created_at DESC LIMIT 1
) o
