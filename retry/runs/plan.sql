-- name: freeze
-- Plans runs over everything that "selected" has, which the caller puts before it as a WITH clause:
-- each of one kind and source, in the order of entry ids.
INSERT INTO retry_run (
    id, operation_id, position, canary, trigger, actor_id, actor_label, reason, kind,
    source_id, queue, resync, only_if_changed, entry_ids,
    size, state, job_id, dispatches, created_at, worker, skipped, skipped_counts,
    succeeded, failed, scheduled, lost, skipped_count, cancelled, handed_on)
SELECT gen_random_uuid(), %(operation)s, row_number() OVER (ORDER BY first) - 1,
       false, %(trigger)s, %(actor)s, %(label)s, %(reason)s, kind, source_id, queue,
       %(resync)s, %(only_if_changed)s, ids, size, 'planned', '', 0, now(), '', '{}', '{}',
       0, 0, 0, 0, 0, 0, 0
FROM (
    SELECT kind, source_id, queue, chunk, min(id) AS first, count(*) AS size,
           array_agg(id ORDER BY id) AS ids
    FROM (
        SELECT n.id, n.kind, n.source_id, coalesce(k.queue, 'bulk') AS queue,
               (row_number() OVER (PARTITION BY n.kind, n.source_id ORDER BY n.id)
                - 1) / coalesce(k.size, 500) AS chunk
        FROM selected n
        LEFT JOIN unnest(%(kinds)s::text[], %(sizes)s::int[], %(queues)s::text[])
            AS k (kind, size, queue) ON k.kind = n.kind
    ) c
    GROUP BY kind, source_id, queue, chunk
) g

-- name: planned_total
-- Counts the entries in the runs of an operation, and gives the sources of those that exist, 0 for
-- what has none.
SELECT coalesce(sum(size), 0),
       coalesce(array_agg(DISTINCT coalesce(source_id, 0)) FILTER (WHERE kind <> ''), '{}')
FROM retry_run WHERE operation_id = %(operation)s
