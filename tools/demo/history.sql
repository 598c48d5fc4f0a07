-- name: add_history
-- Adds two weeks of counts for the source, busy by day and quiet by night, with an outage a week ago.
-- Adds nothing where there are counts from before today.
WITH counted AS (
    SELECT h.at, s.id AS source_id,
           round((2 + 8 * sin(pi() * extract(hour FROM h.at) / 24) ^ 2)
                 * (20 + h.n %% 7))::bigint AS succeeded,
           CASE WHEN h.n BETWEEN 168 AND 170 THEN 180 + h.n %% 5 ELSE h.n * 7 %% 4 END AS failed
    FROM (
        SELECT n, date_trunc('hour', now(), 'UTC') - n * interval '1 hour' AS at
        FROM generate_series(1, 336) n
    ) h
    JOIN entries_source s ON s.slug = %(source)s
    WHERE NOT EXISTS (SELECT FROM retry_outcomecount WHERE at < now() - interval '1 day')
), alike AS (
    SELECT at, source_id, '' AS fingerprint, succeeded AS count FROM counted
    UNION ALL SELECT at, source_id, '*', failed FROM counted
    UNION ALL SELECT at, source_id, %(fingerprint)s, failed FROM counted
)
INSERT INTO retry_outcomecount (span, at, kind, source_id, fingerprint, count)
SELECT 'hour', at, 'page', source_id, fingerprint, count FROM alike WHERE count > 0
ON CONFLICT DO NOTHING
