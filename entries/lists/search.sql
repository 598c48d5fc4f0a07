-- name: find_alike
-- Returns the fingerprints of failed entries whose newest error message holds the text, of at most
-- so many fingerprints: one index lookup for each, however many entries have it.
WITH RECURSIVE newest (fingerprint, error_message, number) AS (
    (SELECT fingerprint, error_message, 1 FROM entries_entry WHERE status = 'failed'
     ORDER BY fingerprint, failed_at DESC, id DESC LIMIT 1)
    UNION ALL
    SELECT e.fingerprint, e.error_message, n.number + 1
    FROM newest n CROSS JOIN LATERAL (
        SELECT fingerprint, error_message FROM entries_entry
        WHERE status = 'failed' AND fingerprint > n.fingerprint
        ORDER BY fingerprint, failed_at DESC, id DESC LIMIT 1
    ) e
    WHERE n.number < %(most)s
)
SELECT fingerprint FROM newest WHERE upper(error_message) LIKE upper(%(pattern)s)
