-- name: draw_canary
-- Makes planned entries of an operation its canary, moved into runs of their own, and returns how
-- many. Half of it at most is the first entry of each of the largest error groups; the rest has
-- them in proportion, in the order of entry ids. Looks at so many entries at most, in runs spread
-- evenly over the operation. Held runs are drawn only where every planned run is held. Locks the
-- runs that it looks at; no entry is lost and none is in two runs.
WITH numbered AS (
    SELECT id, row_number() OVER (ORDER BY position, id) AS number,
           least(1, %(looked_at)s / (sum(size) OVER ())::float8) AS share
    FROM retry_run
    WHERE operation_id = %(operation)s AND state = 'planned' AND size > 0
      AND (NOT %(by_workers)s OR NOT @run_is_held OR %(held_too)s AND NOT EXISTS (
          SELECT FROM retry_run
          WHERE operation_id = %(operation)s AND state = 'planned' AND NOT @run_is_held))
), looked_at AS MATERIALIZED (
    SELECT * FROM retry_run WHERE id IN (
        SELECT id FROM numbered WHERE ceil(number * share) <> ceil((number - 1) * share))
    ORDER BY id FOR UPDATE
), found AS (
    SELECT l.id AS run_id, u.id AS entry_id, l.kind, coalesce(e.fingerprint, '') AS fingerprint
    FROM looked_at l CROSS JOIN unnest(l.entry_ids) AS u (id)
    LEFT JOIN entries_entry e ON e.id = u.id
), grouped AS (
    SELECT *, row_number() OVER (PARTITION BY kind, fingerprint ORDER BY entry_id) AS number,
           count(*) OVER (PARTITION BY kind, fingerprint) AS size
    FROM found
), placed AS (
    SELECT *, dense_rank() OVER (ORDER BY size DESC, kind, fingerprint) AS place FROM grouped
), drawn AS MATERIALIZED (
    -- Entries without a kind are missing and would be skipped.
    SELECT run_id, entry_id FROM placed
    ORDER BY kind = '', number > 1 OR 2 * place > %(wanted)s, (number - 0.5) / size, entry_id
    LIMIT %(wanted)s
), taken AS MATERIALIZED (
    SELECT run_id, count(*) AS size, array_agg(entry_id) AS ids FROM drawn GROUP BY run_id
), divided AS (
    INSERT INTO retry_run (
        id, operation_id, position, canary, trigger, actor_id, actor_label, reason, kind,
        source_id, upstream, queue, resync, only_if_changed, probe, entry_ids,
        size, state, job_id, dispatches, created_at, worker, skipped, skipped_counts,
        succeeded, failed, scheduled, lost, skipped_count, cancelled, handed_on)
    SELECT gen_random_uuid(), operation_id, min(position), true, trigger, actor_id, actor_label,
           reason, kind, source_id, upstream, queue, resync, only_if_changed, false,
           array_agg(entry_id ORDER BY entry_id), count(*), 'planned', '', 0, min(created_at), '',
           '{}', '{}', 0, 0, 0, 0, 0, 0, 0
    FROM (
        SELECT l.*, d.entry_id, (row_number() OVER same - 1) / max(l.size) OVER same AS chunk
        FROM looked_at l JOIN taken t ON t.run_id = l.id AND t.size < l.size
        JOIN drawn d ON d.run_id = l.id
        WINDOW same AS (PARTITION BY l.kind, l.source_id, l.upstream, l.queue ORDER BY d.entry_id
                        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
    ) d
    GROUP BY operation_id, trigger, actor_id, actor_label, reason, kind, source_id, upstream,
             queue, resync, only_if_changed, chunk
), marked AS (
    UPDATE retry_run r
    SET canary = t.size = r.size, size = CASE t.size WHEN r.size THEN r.size ELSE r.size - t.size END,
        entry_ids = CASE t.size WHEN r.size THEN r.entry_ids ELSE ARRAY(
            SELECT u.id FROM unnest(r.entry_ids) WITH ORDINALITY AS u (id, number)
            WHERE u.id <> ALL(t.ids) ORDER BY u.number) END
    FROM taken t WHERE r.id = t.run_id
    RETURNING r.id
)
SELECT count(*) FROM drawn
