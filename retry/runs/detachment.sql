-- name: clear_moved_upstreams
-- Makes queued runs of one upstream mixed runs where an entry depends on another upstream by now:
-- among the next runs, by id. Returns how many, and the last id of a part that was full.
WITH part AS MATERIALIZED (
    SELECT id FROM retry_run
    WHERE state = 'queued' AND upstream <> '' AND id > %(after)s ORDER BY id LIMIT %(limit)s
), moved AS (
    UPDATE retry_run r SET upstream = ''
    WHERE r.id IN (SELECT id FROM part) AND r.state = 'queued' AND r.upstream <> '' AND NOT r.probe
      AND EXISTS (
        SELECT FROM entries_entry e
        WHERE e.id = ANY(r.entry_ids) AND e.run_id = r.id AND e.status = 'queued'
          AND e.upstream <> r.upstream)
    RETURNING r.id
)
SELECT (SELECT count(*) FROM moved),
       (SELECT id FROM part ORDER BY id OFFSET %(limit)s - 1 LIMIT 1)
