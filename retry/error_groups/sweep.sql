-- fragment: counted
-- Leaves out deliveries of notices: an undeliverable one must not lead to another.
e.source_id IS DISTINCT FROM coalesce((SELECT min(id) FROM entries_source WHERE kind = %(notices)s), 0)

-- name: find_unknown
-- Visits the next fingerprints of failed entries, with a look into the index for each however many
-- entries have it. Of those without a group, or whose group has not seen the newest failure, it
-- reads what a group needs; of the others only the first column.
WITH RECURSIVE visited AS (
    (SELECT fingerprint FROM entries_entry
     WHERE status = 'failed' AND fingerprint > %(after)s ORDER BY fingerprint LIMIT 1)
    UNION ALL
    SELECT (SELECT e.fingerprint FROM entries_entry e
            WHERE e.status = 'failed' AND e.fingerprint > v.fingerprint
            ORDER BY e.fingerprint LIMIT 1)
    FROM visited v WHERE v.fingerprint IS NOT NULL
), batch AS MATERIALIZED (
    SELECT fingerprint FROM visited WHERE fingerprint IS NOT NULL LIMIT %(batch)s
), unknown AS MATERIALIZED (
    SELECT b.fingerprint FROM batch b LEFT JOIN retry_errorgroup g ON g.fingerprint = b.fingerprint
    WHERE g.id IS NULL OR g.last_seen < (
        SELECT e.failed_at FROM entries_entry e
        WHERE e.status = 'failed' AND e.fingerprint = b.fingerprint AND @counted
        ORDER BY e.failed_at DESC, e.id DESC LIMIT 1)
)
SELECT b.fingerprint, u.fingerprint, newest.error_class, newest.error_message, names.kinds,
       names.upstreams, oldest.failed_at, newest.failed_at, newest.id
FROM batch b
LEFT JOIN unknown u ON u.fingerprint = b.fingerprint
LEFT JOIN LATERAL (
    SELECT e.id, e.error_class, e.error_message, e.failed_at FROM entries_entry e
    WHERE e.status = 'failed' AND e.fingerprint = u.fingerprint AND @counted
    ORDER BY e.failed_at DESC, e.id DESC LIMIT 1
) newest ON true
LEFT JOIN LATERAL (
    SELECT e.failed_at FROM entries_entry e
    WHERE e.status = 'failed' AND e.fingerprint = u.fingerprint AND @counted
    ORDER BY e.failed_at, e.id LIMIT 1
) oldest ON true
LEFT JOIN LATERAL (
    SELECT array_agg(DISTINCT s.kind) AS kinds, array_agg(s.upstream ORDER BY s.number DESC)
        AS upstreams
    FROM (
        SELECT n.kind, n.upstream, count(*) AS number
        FROM (SELECT e.kind, e.upstream FROM entries_entry e
              WHERE e.status = 'failed' AND e.fingerprint = u.fingerprint AND @counted
              ORDER BY e.failed_at DESC, e.id DESC LIMIT %(sample)s) n
        GROUP BY 1, 2
    ) s
) names ON true
ORDER BY b.fingerprint
