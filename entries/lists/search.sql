-- name: find_alike
-- Returns the fingerprints of "failures", which the caller puts before it as a WITH clause, whose
-- newest error message, or where "classes" says so their class, holds the text, of at most so many
-- fingerprints: one index lookup for each, however many entries have it.
SELECT fingerprint FROM (
    WITH RECURSIVE newest (fingerprint, error_message, error_class, number) AS (
        (SELECT fingerprint, error_message, error_class, 1 FROM failures
         ORDER BY fingerprint, failed_at DESC, id DESC LIMIT 1)
        UNION ALL
        SELECT f.fingerprint, f.error_message, f.error_class, n.number + 1
        FROM newest n CROSS JOIN LATERAL (
            SELECT fingerprint, error_message, error_class FROM failures
            WHERE fingerprint > n.fingerprint
            ORDER BY fingerprint, failed_at DESC, id DESC LIMIT 1
        ) f
        WHERE n.number < %(most)s
    )
    SELECT fingerprint, error_message, error_class FROM newest
) newest_messages
WHERE upper(error_message) LIKE upper(%(pattern)s)
   OR %(classes)s AND upper(error_class) LIKE upper(%(pattern)s)
