-- name: clear_moved_upstreams
-- Makes queued runs of one upstream mixed runs where an entry depends on another upstream by now.
UPDATE retry_run r SET upstream = ''
WHERE r.state = 'queued' AND r.upstream <> '' AND NOT r.probe AND EXISTS (
    SELECT FROM entries_entry e
    WHERE e.id = ANY(r.entry_ids) AND e.run_id = r.id AND e.status = 'queued'
      AND e.upstream <> r.upstream)
