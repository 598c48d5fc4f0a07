-- name: append
-- Appends a row of counts for each upstream.
INSERT INTO retry_outcometally (kind, upstream, total, transient, message, began_at, at)
SELECT %(kind)s, t.upstream, t.total, t.transient, t.message,
       coalesce(%(began_at)s::timestamptz, now()), now()
FROM unnest(%(upstreams)s::text[], %(totals)s::int[], %(transients)s::int[], %(messages)s::text[])
    AS t (upstream, total, transient, message)
