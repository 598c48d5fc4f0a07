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
