-- name: holds_with_work
-- Reads the breaker's holds with a probe under way, and those whose next probe is due and has an
-- entry to try, or has had none for so long that the hold is lifted. Of hundreds of hosts that are
-- down most have nothing waiting, and a look at each costs several queries: this is one. Of runs
-- over many upstreams only the oldest 20 of each kind are looked into, because workers divide them.
WITH due AS MATERIALIZED (
    SELECT id, kind, upstream, next_probe_at FROM retry_hold
    WHERE lifted_at IS NULL AND automatic AND probe_run_id IS NULL AND upstream <> ''
      AND (next_probe_at IS NULL OR next_probe_at <= now())
), known AS MATERIALIZED (
    SELECT d.kind, d.upstream FROM due d WHERE EXISTS (
        SELECT FROM retry_run r
        WHERE r.state = 'queued' AND r.upstream <> '' AND r.kind = d.kind
          AND r.upstream = d.upstream)
), waiting AS (
    SELECT kind, upstream FROM known
    UNION
    SELECT e.kind, e.upstream
    FROM (SELECT DISTINCT kind FROM due WHERE (kind, upstream) NOT IN (SELECT * FROM known)) k
    CROSS JOIN LATERAL (
        SELECT id, entry_ids FROM retry_run
        WHERE state = 'queued' AND kind = k.kind AND upstream = ''
        ORDER BY created_at, position LIMIT 20
    ) r
    CROSS JOIN unnest(r.entry_ids) AS u (id)
    JOIN entries_entry e ON e.id = u.id AND e.run_id = r.id AND e.status = 'queued'
)
SELECT h.* FROM retry_hold h LEFT JOIN due d ON d.id = h.id
WHERE h.lifted_at IS NULL AND h.automatic AND (
    h.probe_run_id IS NOT NULL
    OR (h.upstream = '' AND (h.next_probe_at IS NULL OR h.next_probe_at <= now()))
    OR (d.kind, d.upstream) IN (SELECT kind, upstream FROM waiting)
    OR d.next_probe_at < now() - make_interval(secs => %(forgotten)s)
    OR EXISTS (
        SELECT FROM entries_entry e
        WHERE e.status = 'scheduled' AND e.kind = d.kind AND e.upstream = d.upstream)
)
ORDER BY h.next_probe_at NULLS FIRST, h.id
