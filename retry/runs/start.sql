-- name: record_start
-- Moves planned runs to queued and records which entries were left alone and why. A run without
-- anything left to do is finished at once, and so is every run of an operation without workers.
UPDATE retry_run r
SET state = CASE WHEN t.skipped_count = r.size OR %(settled)s THEN 'finished' ELSE 'queued' END,
    skipped = t.skipped::jsonb, skipped_counts = t.counts::jsonb, skipped_count = t.skipped_count,
    succeeded = CASE WHEN %(settled)s THEN r.size - t.skipped_count ELSE 0 END,
    job_id = t.job_id, dispatches = 1, dispatched_at = now(),
    started_at = CASE WHEN %(settled)s THEN now() END,
    ended_at = CASE WHEN t.skipped_count = r.size OR %(settled)s THEN now() END
FROM unnest(%(ids)s::uuid[], %(skipped)s::text[], %(counts)s::text[], %(skipped_counts)s::int[],
            %(job_ids)s::text[]) AS t (id, skipped, counts, skipped_count, job_id)
WHERE r.id = t.id

-- name: start_entries
-- Queues entries in new runs, and writes the runs and one audit event with them, all or nothing.
-- Entries share a run with others of their kind, source and held upstream, in id order, up to the
-- size of their kind's runs. A run on hold waits in the bulk queue without a job; a probe does not
-- wait. Returns the entries that exist as they were, and the attempt and the run of those queued.
WITH @picking, grouped AS (
    SELECT e.id, e.kind, e.source_id, coalesce(h.upstream, '') AS upstream, e.status, e.attempt,
           coalesce(k.queue, 'default') AS queue, coalesce(k.bulk_queue, 'bulk') AS bulk_queue,
           (row_number() OVER (PARTITION BY e.kind, e.source_id, h.upstream ORDER BY e.id) - 1)
               / coalesce(k.size, 1) AS chunk
    FROM eligible e
    LEFT JOIN unnest(%(kinds)s::text[], %(sizes)s::int[], %(queues)s::text[],
                     %(bulk_queues)s::text[]) AS k (kind, size, queue, bulk_queue)
        ON k.kind = e.kind
    LEFT JOIN retry_hold h ON h.lifted_at IS NULL AND h.upstream <> ''
        AND h.kind = e.kind AND h.upstream = e.upstream
), formed AS (
    SELECT gen_random_uuid() AS id, kind, source_id, upstream, queue, bulk_queue,
           count(*) AS size, array_agg(id ORDER BY id) AS entry_ids,
           array_agg(status ORDER BY id) AS statuses, max(attempt) AS attempt,
           %(probe)s AS probe
    FROM grouped GROUP BY kind, source_id, upstream, queue, bulk_queue, chunk
), weighed AS MATERIALIZED (
    SELECT retry_run.*, replace(id::text, '-', '') AS hex, NOT probe AND @run_is_held AS waits
    FROM formed AS retry_run
), assigned AS (
    SELECT e.id, e.status, w.id AS run_id
    FROM weighed w, unnest(w.entry_ids, w.statuses) AS e (id, status)
), @moving, started AS (
    INSERT INTO retry_run (
        id, trigger, actor_id, actor_label, request_id, reason, kind, source_id, upstream, queue, resync,
        only_if_changed, probe, entry_ids, size, job_id, dispatches, dispatched_at, state,
        position, canary, worker, skipped, skipped_counts, succeeded, failed, scheduled, lost,
        skipped_count, cancelled, handed_on)
    SELECT id, %(trigger)s, %(actor)s, %(label)s, %(request_id)s, %(reason)s, kind, source_id, upstream,
           CASE WHEN %(bulk)s OR waits THEN bulk_queue ELSE queue END,
           %(resync)s, %(only_if_changed)s, probe, entry_ids, size,
           -- As retry.runs.job_ids.run_job_id names it.
           CASE WHEN size = 1 THEN 'entry-' || entry_ids[1] || '-' || attempt + 1 || '-' || left(hex, 8)
                ELSE 'run-' || size || '-' || left(hex, 16) END,
           CASE WHEN waits THEN 0 ELSE 1 END, CASE WHEN NOT waits THEN now() END, 'queued',
           0, false, '', '{}', '{}', 0, 0, 0, 0, 0, 0, 0
    FROM weighed
    RETURNING id, kind, queue, job_id, size, dispatches
), recorded AS (
    @record_moved
)
SELECT p.id, p.status, coalesce(m.attempt, p.attempt), m.run_id, p.source_id,
       s.kind, s.queue, s.job_id, s.size, s.dispatches
FROM picked p LEFT JOIN moved m ON m.id = p.id LEFT JOIN started s ON s.id = m.run_id
ORDER BY p.id
