-- fragment: in_scope
-- True for counts of what the actor may see.
(%(everything)s OR c.source_id = ANY(%(sources)s::bigint[])
    OR %(sourceless)s AND c.source_id IS NULL)

-- fragment: since
-- True for counts whose time begins at a moment or later; by the index of each span.
c.span IN ('minute', 'hour', 'day') AND c.at >= %(since)s::timestamptz

-- name: series
-- Sums what succeeded and failed in each bucket of a time; buckets without outcomes have no row.
SELECT date_bin(make_interval(secs => %(seconds)s), c.at, %(since)s::timestamptz) AS bucket,
       coalesce(sum(c.count) FILTER (WHERE c.fingerprint = ''), 0),
       coalesce(sum(c.count) FILTER (WHERE c.fingerprint = '*'), 0)
FROM retry_outcomecount c
WHERE @since AND c.fingerprint IN ('', '*') AND @in_scope
  AND (%(kind)s::text IS NULL OR c.kind = %(kind)s)
  AND (%(source)s::bigint IS NULL OR c.source_id = %(source)s)
GROUP BY 1

-- name: series_alike
-- Sums what failed in each bucket of a time, for each of some fingerprints.
SELECT c.fingerprint,
       date_bin(make_interval(secs => %(seconds)s), c.at, %(since)s::timestamptz) AS bucket,
       sum(c.count)
FROM retry_outcomecount c
WHERE c.fingerprint = ANY(%(fingerprints)s::text[]) AND c.fingerprint NOT IN ('', '*')
  AND c.at >= %(since)s::timestamptz AND @in_scope
GROUP BY 1, 2

-- name: most_frequent
-- Finds what failed most since a moment: the count, some upstreams and an entry of each.
WITH most AS (
    SELECT c.fingerprint, sum(c.count) AS count, max(c.kind) AS kind,
           max(c.sample_entry_id) AS sample_entry_id
    FROM retry_outcomecount c
    WHERE @since AND @in_scope AND c.fingerprint NOT IN ('', '*')
    GROUP BY c.fingerprint ORDER BY count DESC, c.fingerprint LIMIT %(most)s
)
SELECT m.fingerprint, m.count, m.kind, m.sample_entry_id, ARRAY(
    SELECT DISTINCT u.name FROM retry_outcomecount c, unnest(c.upstreams) AS u (name)
    WHERE c.fingerprint = m.fingerprint AND c.fingerprint NOT IN ('', '*') AND c.at >= %(since)s::timestamptz AND @in_scope
    LIMIT 10)
FROM most m ORDER BY m.count DESC, m.fingerprint
