-- name: worker_tasks
-- Gives, for each of the runs that workers were given, the runs that the same execution has now, and
-- how many of their entries are running.
SELECT first.id, r.id, r.operation_id, r.kind, (
    SELECT count(*) FROM entries_entry e WHERE e.status = 'running' AND e.run_id = r.id)
FROM retry_run first
JOIN retry_run r ON r.state = 'running' AND r.worker = first.worker
WHERE first.id = ANY(%(runs)s) AND first.worker <> ''
ORDER BY first.id, r.created_at, r.id
