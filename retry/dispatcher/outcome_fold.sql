-- fragment: adding
-- Adds to the count that is already there.
ON CONFLICT (span, at, kind, source_id, fingerprint) DO UPDATE
SET count = c.count + EXCLUDED.count,
    upstreams = CASE WHEN c.upstreams @> EXCLUDED.upstreams THEN c.upstreams ELSE ARRAY(
        SELECT DISTINCT u FROM unnest(c.upstreams || EXCLUDED.upstreams) u LIMIT 10) END,
    sample_entry_id = coalesce(EXCLUDED.sample_entry_id, c.sample_entry_id)

-- name: fold_flushes
-- Moves the oldest flushes into counts of their minutes: each is deleted and counted in one
-- statement, failures also under the fingerprint of all, and everything in the total of its kind.
-- Rows that another dispatcher is folding are skipped. Returns how many flushes were taken, and what
-- failed in each minute.
WITH taken AS MATERIALIZED (
    DELETE FROM retry_outcomeflush
    WHERE id = ANY(ARRAY(
        SELECT id FROM retry_outcomeflush ORDER BY id LIMIT %(batch)s FOR UPDATE SKIP LOCKED))
    RETURNING *
), summed AS MATERIALIZED (
    SELECT date_trunc('minute', t.at, 'UTC') AS minute, t.kind, t.source_id, t.fingerprint,
           sum(t.count) FILTER (WHERE u.place IS NULL OR u.place = 1) AS count,
           coalesce((array_agg(DISTINCT u.name) FILTER (WHERE u.name IS NOT NULL))[:10], '{}')
               AS upstreams,
           max(t.sample_entry_id) AS sample_entry_id, max(t.error_class) AS error_class,
           max(t.message) AS message, min(t.at) AS first_at, max(t.at) AS last_at
    FROM taken t LEFT JOIN LATERAL unnest(t.upstreams) WITH ORDINALITY AS u (name, place) ON true
    WHERE NOT t.lost
    GROUP BY 1, 2, 3, 4
), named AS (
    SELECT kind, count, seconds, buckets,
           CASE WHEN lost THEN 'lost' WHEN fingerprint = '' THEN 'succeeded' ELSE 'failed' END
               AS outcome
    FROM taken
), spread AS (
    SELECT kind, outcome, array_agg(count ORDER BY place) AS buckets
    FROM (SELECT n.kind, n.outcome, b.place, sum(b.count)::bigint AS count
          FROM named n, unnest(n.buckets) WITH ORDINALITY AS b (count, place)
          GROUP BY 1, 2, 3) AS b
    GROUP BY 1, 2
), totalled AS (
    INSERT INTO retry_outcometotal AS t (kind, outcome, count, seconds, buckets)
    SELECT n.kind, n.outcome, sum(n.count), sum(n.seconds), coalesce(max(s.buckets), '{}')
    FROM named n LEFT JOIN spread s ON s.kind = n.kind AND s.outcome = n.outcome
    GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (kind, outcome) DO UPDATE
    SET count = t.count + EXCLUDED.count, seconds = t.seconds + EXCLUDED.seconds,
        buckets = ARRAY(
            SELECT coalesce(old, 0) + coalesce(new, 0)
            FROM unnest(t.buckets, EXCLUDED.buckets) WITH ORDINALITY AS b (old, new, place)
            ORDER BY place)
), folded AS (
    INSERT INTO retry_outcomecount AS c
        (span, at, kind, source_id, fingerprint, count, upstreams, sample_entry_id)
    SELECT 'minute', minute, kind, source_id, fingerprint, count, upstreams, sample_entry_id
    FROM summed
    UNION ALL
    SELECT 'minute', minute, kind, source_id, %(all_failures)s, sum(count), '{}', NULL
    FROM summed WHERE fingerprint <> '' GROUP BY minute, kind, source_id
    ORDER BY 2, 3, 4, 5
    @adding
)
SELECT (SELECT count(*) FROM taken) AS taken, fingerprint, error_class, message, kind, source_id, upstreams,
       count, first_at, last_at, sample_entry_id
FROM summed ORDER BY first_at, fingerprint

-- name: fold_older
-- Moves the oldest counts of one span into the next longer one: each is deleted and added in one
-- statement. Rows that another dispatcher is folding are skipped. Returns how many were taken.
WITH taken AS MATERIALIZED (
    DELETE FROM retry_outcomecount
    WHERE id = ANY(ARRAY(
        SELECT id FROM retry_outcomecount
        WHERE span = %(span)s
          AND at < date_trunc(%(longer)s, now() - make_interval(hours => %(hours)s), 'UTC')
        ORDER BY at LIMIT %(batch)s FOR UPDATE SKIP LOCKED))
    RETURNING *
), folded AS (
    INSERT INTO retry_outcomecount AS c
        (span, at, kind, source_id, fingerprint, count, upstreams, sample_entry_id)
    SELECT %(longer)s, date_trunc(%(longer)s, t.at, 'UTC'), t.kind, t.source_id, t.fingerprint,
           sum(t.count) FILTER (WHERE u.place IS NULL OR u.place = 1),
           coalesce((array_agg(DISTINCT u.name) FILTER (WHERE u.name IS NOT NULL))[:10], '{}'),
           max(t.sample_entry_id)
    FROM taken t LEFT JOIN LATERAL unnest(t.upstreams) WITH ORDINALITY AS u (name, place) ON true
    GROUP BY 2, 3, 4, 5 ORDER BY 2, 3, 4, 5
    @adding
)
SELECT count(*) AS taken FROM taken

-- name: forget
-- Deletes one batch of the oldest days.
DELETE FROM retry_outcomecount WHERE id = ANY(ARRAY(
    SELECT id FROM retry_outcomecount
    WHERE span = 'day' AND at < now() - make_interval(days => %(days)s)
    ORDER BY at LIMIT %(batch)s FOR UPDATE SKIP LOCKED))
