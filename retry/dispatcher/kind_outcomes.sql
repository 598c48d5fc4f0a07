-- name: recent_outcomes
-- Reads the last outcomes of each upstream that had a transient error just now, the newest first,
-- at most a window each. What began before the last hold was lifted says nothing about the time
-- since. Of a kind with upstreams, rows without one are left out: their entries share nothing known.
WITH judged AS (
    SELECT DISTINCT t.kind, t.upstream, k.win
    FROM retry_outcometally t
    JOIN unnest(%(kinds)s::text[], %(windows)s::int[], %(by_upstream)s::boolean[])
        AS k (kind, win, by_upstream) ON k.kind = t.kind
    WHERE t.transient > 0 AND t.at > now() - make_interval(secs => %(fresh)s)
      AND k.by_upstream = (t.upstream <> '')
)
SELECT j.kind, j.upstream, r.total, r.transient, r.message
FROM judged j
CROSS JOIN LATERAL (
    SELECT max(h.lifted_at) AS at FROM retry_hold h
    WHERE h.kind = j.kind AND h.upstream IN ('', j.upstream)
) lifted
CROSS JOIN LATERAL (
    SELECT t.id, t.total, t.transient, t.message FROM retry_outcometally t
    WHERE t.kind = j.kind AND t.upstream = j.upstream
      AND t.at > now() - make_interval(secs => %(seconds)s)
      AND (lifted.at IS NULL OR t.began_at > lifted.at)
    ORDER BY t.id DESC LIMIT j.win
) r
ORDER BY j.kind, j.upstream, r.id DESC

-- name: prune
-- Deletes one batch of rows that are too old to be judged, the oldest first.
WITH oldest AS (
    SELECT id FROM (SELECT id, at FROM retry_outcometally ORDER BY id LIMIT %(batch)s) t
    WHERE t.at < now() - make_interval(secs => %(seconds)s)
)
DELETE FROM retry_outcometally WHERE id IN (SELECT id FROM oldest)
