-- name: find_failed
-- Finds the failures in the table, at most as many as asked for, the newest; without what Redrive
-- has sent, whose entries are known. Changes nothing.
SELECT id FROM django_celery_results_taskresult
WHERE status = 'FAILURE' AND NOT starts_with(task_id, %(mark)s) ORDER BY id DESC LIMIT %(limit)s

-- fragment: row
-- A row as far as it is read: of what is larger, the size alone; of a traceback, the end. Versions
-- before 2.6 have no date_started, which is then the NULL of "none".
SELECT t.task_id, coalesce(t.status, ''), coalesce(t.task_name, ''),
    CASE WHEN octet_length(t.task_args) <= %(max_bytes)s THEN t.task_args END,
    CASE WHEN octet_length(t.task_kwargs) <= %(max_bytes)s THEN t.task_kwargs END,
    coalesce(octet_length(t.task_args) > %(max_bytes)s, false)
        OR coalesce(octet_length(t.task_kwargs) > %(max_bytes)s, false),
    coalesce(t.worker, ''), coalesce(t.content_encoding, ''),
    CASE WHEN octet_length(t.result) <= %(max_bytes)s THEN t.result ELSE '' END,
    CASE WHEN octet_length(t.traceback) <= %(max_traceback)s THEN t.traceback
        ELSE right(t.traceback, 200000) END,
    t.date_created, (SELECT date_started FROM (SELECT t.*) AS theirs), t.date_done
FROM django_celery_results_taskresult t CROSS JOIN (SELECT NULL::timestamptz AS date_started) AS none

-- name: read_failed
-- Reads failures, those with the given numbers that are still failed. Changes nothing.
@row WHERE t.id = ANY(%(ids)s) AND t.status = 'FAILURE' ORDER BY t.id

-- name: read_task
-- Reads one task. Changes nothing.
@row WHERE t.task_id = %(task_id)s

-- name: read_tasks
-- Reads failures with the given ids. Changes nothing.
@row WHERE t.task_id = ANY(%(task_ids)s) AND t.status = 'FAILURE' ORDER BY t.id

-- name: look
-- Reads how far a task is. Changes nothing.
SELECT coalesce(t.status, ''), coalesce(t.worker, ''), t.date_created,
    (SELECT date_started FROM (SELECT t.*) AS theirs), t.date_done
FROM django_celery_results_taskresult t CROSS JOIN (SELECT NULL::timestamptz AS date_started) AS none
WHERE t.task_id = %(task_id)s
