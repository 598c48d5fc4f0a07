-- name: find_receivers
-- Reads what deliveries need of endpoints, of one by its unique slug or of the first in order of
-- their slugs; the former secret only while it signs. Changes nothing.
SELECT slug, url, secret, CASE WHEN previous_until > now() THEN previous_secret ELSE '' END, enabled
FROM entries_endpoint
WHERE %(slug)s::text IS NULL OR slug = %(slug)s
ORDER BY slug LIMIT %(most)s
