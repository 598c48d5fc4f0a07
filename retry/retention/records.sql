-- fragment: report_by_id
-- How many rows were old enough to be looked at, how many were due or deleted, and the last one.
SELECT (SELECT count(*) FROM scanned WHERE at < %(cutoff)s),
       CASE WHEN %(dry)s THEN (SELECT count(*) FROM due) ELSE (SELECT count(*) FROM removed) END,
       '', (SELECT max(id)::text FROM scanned WHERE at < %(cutoff)s)

-- fragment: report_by_time
-- The same where rows are taken in the order of a time; all of them are old enough.
SELECT (SELECT count(*) FROM scanned),
       CASE WHEN %(dry)s THEN (SELECT count(*) FROM due) ELSE (SELECT count(*) FROM removed) END,
       l.at::text, l.id::text
FROM (SELECT) one LEFT JOIN (SELECT at, id FROM scanned ORDER BY at DESC, id DESC LIMIT 1) l ON true

-- name: remove_operations
-- Deletes operations that ended before the cutoff with all their runs, in the order in which they ended:
-- some, with a few thousand runs at most, or a single larger one. Those stay that have an open run, that
-- an open operation refers to, or that are to prove something.
WITH oldest AS MATERIALIZED (
    SELECT o.id, o.ended_at AS at,
           (SELECT count(*) FROM retry_run r WHERE r.operation_id = o.id) AS runs
    FROM retry_operation o
    WHERE ended_at < %(cutoff)s
      AND (ended_at, id) > (%(after_at)s::timestamptz, %(after_id)s::uuid)
    ORDER BY ended_at, id LIMIT 50
), counted AS (
    SELECT id, at, sum(runs) OVER (ORDER BY at, id) - runs AS runs_before FROM oldest
), scanned AS MATERIALIZED (
    SELECT id, at FROM counted WHERE runs_before < %(limit)s
), due AS MATERIALIZED (
    SELECT c.id FROM scanned c
    WHERE NOT EXISTS (SELECT FROM retry_run r WHERE r.operation_id = c.id
                        AND r.state IN ('planned', 'queued', 'running'))
      AND NOT EXISTS (SELECT FROM retry_operation p
                      WHERE p.state <> 'completed' AND p.ended_at IS NULL
                        AND (p.selection ->> 'failed_of' = c.id::text
                             OR p.selection ->> 'repaired_by' = c.id::text))
      AND NOT EXISTS (SELECT FROM retry_errorgroup g WHERE g.proof_id = c.id)
), locked AS MATERIALIZED (
    SELECT id FROM retry_operation
    WHERE id IN (SELECT id FROM due) AND state IN ('completed', 'cancelled') AND NOT %(dry)s
    ORDER BY id FOR UPDATE SKIP LOCKED
), @removing_runs, released AS (
    UPDATE retry_errorgroup g SET resolved_operation_id = NULL
    FROM locked l WHERE g.resolved_operation_id = l.id
), removed AS (
    DELETE FROM retry_operation o USING locked l WHERE o.id = l.id RETURNING o.id
)
@report_by_time

-- name: remove_syncs
-- Deletes syncs that ended before the cutoff. The last one of a source stays, and the last that read it.
WITH scanned AS MATERIALIZED (
    SELECT id, created_at AS at, source_id, state, dry_run, ended_at FROM retry_sync
    WHERE id > %(after_id)s::bigint ORDER BY id LIMIT %(limit)s
), due AS MATERIALIZED (
    SELECT c.id FROM scanned c
    WHERE c.state IN ('succeeded', 'failed') AND c.ended_at < %(cutoff)s
      AND EXISTS (SELECT FROM retry_sync n WHERE n.source_id = c.source_id AND n.id > c.id)
      AND (c.state = 'failed' OR c.dry_run OR EXISTS (
          SELECT FROM retry_sync n WHERE n.source_id = c.source_id AND n.id > c.id
            AND n.state = 'succeeded' AND NOT n.dry_run))
), locked AS MATERIALIZED (
    SELECT id FROM retry_sync WHERE id IN (SELECT id FROM due) AND NOT %(dry)s
    ORDER BY id FOR UPDATE SKIP LOCKED
), removed AS (
    DELETE FROM retry_sync s USING locked l WHERE s.id = l.id RETURNING s.id
)
@report_by_id

-- name: remove_imports
-- Deletes imports that ended before the cutoff: a dry run together with what was imported after it, or
-- neither. Those whose file is still kept stay.
WITH scanned AS MATERIALIZED (
    SELECT id, created_at AS at, confirms_id, state, location, ended_at FROM retry_import
    WHERE created_at < %(cutoff)s
      AND (created_at, id) > (%(after_at)s::timestamptz, %(after_id)s::uuid)
    ORDER BY created_at, id LIMIT %(limit)s
), chosen AS MATERIALIZED (
    SELECT c.id, d.id AS confirmation FROM scanned c
    LEFT JOIN retry_import d ON d.confirms_id = c.id
    WHERE c.confirms_id IS NULL AND c.state IN ('succeeded', 'failed') AND c.location = ''
      AND c.ended_at < %(cutoff)s
      AND (d.id IS NULL OR (d.state IN ('succeeded', 'failed') AND d.location = ''
                            AND d.ended_at < %(cutoff)s))
), due AS MATERIALIZED (
    SELECT id FROM chosen UNION ALL SELECT confirmation FROM chosen WHERE confirmation IS NOT NULL
), locked AS MATERIALIZED (
    SELECT id FROM retry_import WHERE id IN (SELECT id FROM due) AND NOT %(dry)s
    ORDER BY id FOR UPDATE
), removed AS (
    DELETE FROM retry_import i USING locked l WHERE i.id = l.id RETURNING i.id
)
@report_by_time

-- name: remove_holds
-- Deletes holds that were lifted before the cutoff.
WITH scanned AS MATERIALIZED (
    SELECT id, lifted_at AS at FROM retry_hold
    WHERE lifted_at < %(cutoff)s
      AND (lifted_at, id) > (%(after_at)s::timestamptz, %(after_id)s::bigint)
    ORDER BY lifted_at, id LIMIT %(limit)s
), due AS MATERIALIZED (
    SELECT id FROM scanned
), locked AS MATERIALIZED (
    SELECT id FROM retry_hold WHERE id IN (SELECT id FROM due) AND NOT %(dry)s
    ORDER BY id FOR UPDATE SKIP LOCKED
), removed AS (
    DELETE FROM retry_hold h USING locked l WHERE h.id = l.id RETURNING h.id
)
@report_by_time

-- name: remove_groups
-- Deletes error groups without a failure since the cutoff, of which no entry is failed, and which are
-- neither muted nor about to be proved.
WITH scanned AS MATERIALIZED (
    SELECT id, last_seen AS at, fingerprint, state, proof_id FROM retry_errorgroup
    WHERE last_seen < %(cutoff)s
      AND (last_seen, id) > (%(after_at)s::timestamptz, %(after_id)s::bigint)
    ORDER BY last_seen, id LIMIT %(limit)s
), due AS MATERIALIZED (
    SELECT c.id FROM scanned c
    WHERE c.state <> 'muted' AND c.proof_id IS NULL
      AND NOT EXISTS (SELECT FROM entries_entry e
                      WHERE e.status = 'failed' AND e.fingerprint = c.fingerprint)
), locked AS MATERIALIZED (
    SELECT id FROM retry_errorgroup
    WHERE id IN (SELECT id FROM due) AND last_seen < %(cutoff)s AND state <> 'muted'
      AND proof_id IS NULL AND NOT %(dry)s
    ORDER BY id FOR UPDATE SKIP LOCKED
), removed AS (
    DELETE FROM retry_errorgroup g USING locked l WHERE g.id = l.id RETURNING g.id
)
@report_by_time

-- name: remove_outages
-- Deletes outages that were over before the cutoff and that no notice is about any more.
WITH scanned AS MATERIALIZED (
    SELECT id, began_at AS at, over_at FROM retry_outage
    WHERE id > %(after_id)s::bigint ORDER BY id LIMIT %(limit)s
), due AS MATERIALIZED (
    SELECT c.id FROM scanned c WHERE c.over_at < %(cutoff)s
      AND NOT EXISTS (SELECT FROM retry_notice n WHERE n.outage_id = c.id)
), locked AS MATERIALIZED (
    SELECT id FROM retry_outage WHERE id IN (SELECT id FROM due) AND NOT %(dry)s
    ORDER BY id FOR UPDATE SKIP LOCKED
), removed AS (
    DELETE FROM retry_outage o USING locked l WHERE o.id = l.id RETURNING o.id
)
@report_by_id
