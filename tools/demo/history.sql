-- name: add_history
-- Adds two weeks of counts for the source, busy by day and quiet by night, with an outage a week ago,
-- and the error group of what failed. Adds nothing where there are counts from before today.
WITH hours AS (
    SELECT n, date_trunc('hour', now(), 'UTC') - n * interval '1 hour' AS at
    FROM generate_series(1, 336) n
    WHERE NOT EXISTS (SELECT FROM retry_outcomecount WHERE at < now() - interval '1 day')
), busy AS (
    SELECT n, at, 2 + 8 * sin(pi() * extract(hour FROM at) / 24) ^ 2 AS busy FROM hours
), counted AS (
    SELECT b.at, s.id AS source_id, round(b.busy * (20 + b.n %% 7))::bigint AS succeeded,
           CASE WHEN b.n BETWEEN 168 AND 170 THEN 180 + b.n %% 5
                ELSE round(b.busy * (1 + b.n * 7 %% 5) / 5)::bigint END AS failed
    FROM busy b JOIN entries_source s ON s.slug = %(source)s
), alike AS (
    SELECT at, source_id, '' AS fingerprint, succeeded AS count FROM counted
    UNION ALL SELECT at, source_id, '*', failed FROM counted
    UNION ALL SELECT at, source_id, %(fingerprint)s, failed FROM counted
), known AS (
    INSERT INTO retry_errorgroup (
        fingerprint, error_class, message, kinds, upstreams, first_seen, last_seen, failures)
    SELECT %(fingerprint)s, %(error)s, %(message)s, ARRAY['page'], ARRAY[%(upstream)s],
           min(at), max(at), sum(failed)
    FROM counted WHERE failed > 0 HAVING count(*) > 0
    ON CONFLICT DO NOTHING
)
INSERT INTO retry_outcomecount (span, at, kind, source_id, fingerprint, count)
SELECT 'hour', at, 'page', source_id, fingerprint, count FROM alike WHERE count > 0
ON CONFLICT DO NOTHING
