-- name: rebuildable
-- Lists what can be dropped before a large insert and made again afterwards: statements to drop and
-- to make each unique constraint and index of the entries, without their primary keys.
SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
       format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname,
              pg_get_constraintdef(oid))
FROM pg_constraint
WHERE contype = 'u'
  AND conrelid IN ('entries_entry'::regclass, 'entries_indexedentry'::regclass)
UNION ALL
SELECT format('DROP INDEX %%s', i.indexrelid::regclass), pg_get_indexdef(i.indexrelid)
FROM pg_index i
WHERE i.indrelid IN ('entries_entry'::regclass, 'entries_indexedentry'::regclass)
  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)

-- name: insert_sources
-- Inserts twenty sources, named source-0 to source-19.
INSERT INTO entries_source (slug, name, kind, location, options, entry_kind, enabled, etag,
                            last_modified, last_error, created_at)
SELECT 'source-' || n, 'Source ' || n, 'feed', 'https://feed.example/' || n, '{}', 'page', true,
       '', '', '', now()
FROM generate_series(0, 19) n
ON CONFLICT DO NOTHING

-- name: insert_entries
-- Inserts so many entries as a desk has them after ninety days: five kinds, twenty sources, two
-- hundred upstreams and three hundred errors, a few of each much more frequent than the others;
-- nine of ten have succeeded, one of twenty has failed.
INSERT INTO entries_entry (source_id, kind, external_id, title, payload, content_hash, upstream,
                           status, attempt, run_id, next_attempt_at, automatic_attempts,
                           error_class, error_message, fingerprint, failed_at, created_at,
                           updated_at, status_changed_at)
SELECT s.id, (ARRAY['page', 'webhook', 'noop', 'mail', 'report'])[1 + d.kind],
       'https://' || d.host || '/articles/' || substr(md5(d.n::text), 1, 10) || d.n,
       'Article about ' || d.words || CASE WHEN d.n %% 100000 = 17 THEN ' zeppelin' ELSE '' END,
       jsonb_build_object('url', 'https://' || d.host || '/articles/' || d.n, 'customer',
                          d.n %% 5000, 'note', 'as it came in, part ' || d.n),
       md5(d.n::text), d.host, d.status, 1,
       CASE WHEN d.status = 'queued' THEN gen_random_uuid() END,
       CASE WHEN d.status = 'scheduled' THEN now() + d.n %% 3600 * interval '1 second' END, 0,
       CASE WHEN d.wrong THEN (ARRAY['TransientError', 'PermanentError', 'TimeLimitExceeded',
                                     'ValueError', 'KeyError', 'WorkerLost'])[1 + d.error %% 6]
            ELSE '' END,
       CASE WHEN d.wrong THEN 'item ' || d.n || ' of ' || d.host || ' refused in stage '
                              || chr(97 + d.error %% 26) || chr(97 + d.error / 26 %% 26)
                              || ': HTTP ' || 500 + d.error %% 12
            ELSE '' END,
       CASE WHEN d.wrong THEN '1-' || md5('error ' || d.error) ELSE '' END,
       CASE WHEN d.status IN ('failed', 'discarded') THEN d.at END, d.at, d.at, d.at
FROM (
    SELECT r.*, 'host-' || r.upstream || '.example' AS host,
           CASE WHEN r.lot < 0.900 THEN 'succeeded' WHEN r.lot < 0.950 THEN 'failed'
                WHEN r.lot < 0.965 THEN 'discarded' WHEN r.lot < 0.980 THEN 'scheduled'
                WHEN r.lot < 0.990 THEN 'queued' ELSE 'pending' END AS status,
           r.lot BETWEEN 0.900 AND 0.980 AS wrong
    FROM (
        SELECT n, floor(5 * random() ^ 2)::int AS kind, floor(20 * random() ^ 2)::int AS source,
               floor(200 * random() ^ 3)::int AS upstream,
               floor(300 * random() ^ 3)::int AS error, random() AS lot,
               now() - (%(count)s - n) * (interval '90 days' / %(count)s) AS at,
               (ARRAY['rain', 'trains', 'budgets', 'harbours', 'elections', 'rivers', 'music',
                      'chess', 'winter', 'bridges', 'markets', 'gardens', 'tides', 'schools',
                      'maps', 'clocks'])[1 + floor(16 * random())::int]
               || ' and ' || substr(md5(random()::text), 1, 8) AS words
        FROM generate_series(1, %(count)s::int) n
    ) r
) d
JOIN entries_source s ON s.slug = 'source-' || d.source

-- name: insert_index
-- Indexes every entry, as the triggers would have, which a large insert goes without.
INSERT INTO entries_indexedentry (id, source_id, kind, upstream, text)
SELECT id, source_id, kind, upstream, external_id || chr(31) || title FROM entries_entry
