-- name: freeze
-- Plans runs over everything that "selected" has, which the caller puts before it as a WITH clause:
-- each of one kind and source, in the order of entry ids, the canary's first.
INSERT INTO retry_run (
    id, operation_id, position, canary, trigger, actor_id, actor_label, reason, kind,
    source_id, queue, resync, only_if_changed, entry_ids,
    size, state, job_id, dispatches, created_at, worker, skipped, skipped_counts,
    succeeded, failed, scheduled, lost, skipped_count, cancelled, handed_on)
SELECT gen_random_uuid(), %(operation)s, row_number() OVER (ORDER BY canary DESC, first) - 1,
       canary, %(trigger)s, %(actor)s, %(label)s, %(reason)s, kind, source_id, queue,
       %(resync)s, %(only_if_changed)s, ids, size, 'planned', '', 0, now(), '', '{}', '{}',
       0, 0, 0, 0, 0, 0, 0
FROM (
    SELECT kind, source_id, queue, canary, chunk, min(id) AS first, count(*) AS size,
           array_agg(id ORDER BY id) AS ids
    FROM (
        SELECT n.id, n.kind, n.source_id, n.canary, coalesce(k.queue, 'bulk') AS queue,
               (row_number() OVER (PARTITION BY n.kind, n.source_id, n.canary ORDER BY n.id)
                - 1) / coalesce(k.size, 500) AS chunk
        FROM (
            SELECT id, kind, source_id,
                   row_number() OVER (ORDER BY id) <= %(canary)s AS canary
            FROM selected
        ) n
        LEFT JOIN unnest(%(kinds)s::text[], %(sizes)s::int[], %(queues)s::text[])
            AS k (kind, size, queue) ON k.kind = n.kind
    ) c
    GROUP BY kind, source_id, queue, canary, chunk
) g

-- name: planned_total
-- Counts the entries in the runs of an operation.
SELECT coalesce(sum(size), 0) FROM retry_run WHERE operation_id = %(operation)s

-- name: draw_canary
-- Makes the first planned entries of an operation its canary and returns how many. A run that is
-- larger than what is still wanted keeps its first entries; a new planned run gets the others.
-- Held runs are drawn only where every planned run is held. Locks the runs that it looks at.
WITH looked_at AS MATERIALIZED (
    SELECT * FROM retry_run
    WHERE operation_id = %(operation)s AND state = 'planned'
      AND (NOT %(by_workers)s OR NOT @run_is_held OR %(held_too)s AND NOT EXISTS (
          SELECT FROM retry_run
          WHERE operation_id = %(operation)s AND state = 'planned' AND NOT @run_is_held))
    ORDER BY position, id LIMIT %(wanted)s FOR UPDATE
), placed AS (
    SELECT *, %(wanted)s - (sum(size) OVER (ORDER BY position, id) - size) AS room FROM looked_at
), drawn AS MATERIALIZED (
    SELECT *, least(size, room)::int AS taken FROM placed WHERE room > 0
), divided AS (
    INSERT INTO retry_run (
        id, operation_id, position, canary, trigger, actor_id, actor_label, reason, kind,
        source_id, upstream, queue, resync, only_if_changed, probe, entry_ids,
        size, state, job_id, dispatches, created_at, worker, skipped, skipped_counts,
        succeeded, failed, scheduled, lost, skipped_count, cancelled, handed_on)
    SELECT gen_random_uuid(), operation_id, position, false, trigger, actor_id, actor_label,
           reason, kind, source_id, upstream, queue, resync, only_if_changed, probe,
           entry_ids[taken + 1:], size - taken, state, job_id, dispatches, created_at, worker,
           skipped, skipped_counts,
           succeeded, failed, scheduled, lost, skipped_count, cancelled, handed_on
    FROM drawn WHERE taken < size
), marked AS (
    UPDATE retry_run r SET canary = true, entry_ids = r.entry_ids[:d.taken], size = d.taken
    FROM drawn d WHERE r.id = d.id
    RETURNING r.size
)
SELECT coalesce(sum(size), 0) FROM marked
