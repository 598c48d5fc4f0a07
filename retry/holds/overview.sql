-- name: count_waiting
-- Counts the runs and the scheduled entries that wait for holds on whole kinds and on sources, each
-- up to a limit. One row for each hold.
SELECT h.id,
       CASE WHEN h.source_id IS NULL THEN (
           SELECT count(*) FROM (
               SELECT FROM retry_run r
               WHERE r.state IN ('planned', 'queued') AND r.trigger <> ALL(%(no_worker)s)
                   AND r.kind = h.kind LIMIT %(most)s) w
       ) ELSE (
           SELECT count(*) FROM (
               SELECT FROM retry_run r
               WHERE r.state IN ('planned', 'queued') AND r.trigger <> ALL(%(no_worker)s)
                   AND r.source_id = h.source_id LIMIT %(most)s) w
       ) END,
       CASE WHEN h.source_id IS NULL THEN (
           SELECT count(*) FROM (
               SELECT FROM entries_entry e
               WHERE e.status = 'scheduled' AND e.kind = h.kind LIMIT %(most)s) w
       ) ELSE (
           SELECT count(*) FROM (
               SELECT FROM entries_entry e
               WHERE e.status = 'scheduled' AND e.source_id = h.source_id LIMIT %(most)s) w
       ) END
FROM retry_hold h WHERE h.id = ANY(%(ids)s)
