-- name: insert_failures
-- Inserts so many failed entries of so many errors, over two weeks and two hundred upstreams.
INSERT INTO entries_entry (kind, external_id, title, payload, content_hash, upstream, status,
                           attempt, automatic_attempts, error_class, error_message, fingerprint,
                           failed_at)
SELECT 'page', n, 'Article ' || n,
       jsonb_build_object('url', 'https://' || host || '/articles/' || n, 'customer', n %% 5000),
       md5(n::text), host, 'failed', 1, 0,
       (ARRAY['TransientError', 'PermanentError', 'ValueError'])[1 + error %% 3],
       'item ' || n || ' refused in stage ' || chr(97 + error %% 26) || chr(97 + error / 26),
       '1-' || md5('error ' || error), now() - make_interval(secs => n::bigint * 7919 %% 1209600)
FROM (
    SELECT n, n %% %(groups)s AS error, 'host-' || n * 31 %% 200 || '.example' AS host
    FROM generate_series(1, %(count)s) n
) r
