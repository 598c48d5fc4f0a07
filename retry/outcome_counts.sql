-- fragment: counting
-- Appends a row for what succeeded, and one for each group of failures that are alike. `at` is for what
-- happened elsewhere, before it came. Deliveries of
-- notices are not counted: an undeliverable one must not lead to another.
INSERT INTO retry_outcomeflush
    (kind, source_id, fingerprint, error_class, message, upstreams, count, sample_entry_id, seconds,
     buckets, at)
SELECT %(kind)s, %(source)s, c.fingerprint, c.error_class, c.message, c.upstreams, c.count,
       c.sample, coalesce(c.seconds, 0), coalesce(c.buckets, '{}'), coalesce(c.at, now())
FROM json_to_recordset(%(counts)s::json) AS c (
    fingerprint text, error_class text, message text, upstreams text[], count int, sample bigint,
    seconds float8, buckets int[], at timestamptz)
WHERE NOT EXISTS (
    SELECT FROM entries_source s WHERE s.id = %(source)s::bigint AND s.kind = %(notices)s)

-- name: append_counts
-- Appends a row for each way in which attempts ended.
@counting

-- name: append_both
-- Appends a row for each way in which attempts ended, and for the breaker one for each upstream.
WITH counted AS (
    @counting
)
INSERT INTO retry_outcometally (kind, upstream, total, transient, message, began_at, at)
SELECT %(kind)s, t.upstream, t.total, t.transient, t.message,
       coalesce(%(began_at)s::timestamptz, now()), now()
FROM unnest(%(upstreams)s::text[], %(totals)s::int[], %(transients)s::int[], %(messages)s::text[])
    AS t (upstream, total, transient, message)
