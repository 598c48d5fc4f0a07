-- name: find_endpoint
-- Reads what a delivery needs of an endpoint, by its unique slug. Changes nothing.
SELECT url, secret, enabled FROM entries_endpoint WHERE slug = %(slug)s
