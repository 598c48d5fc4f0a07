-- name: allow
-- Lets this transaction delete events that are older than the least time, until `forbid`.
SELECT set_config('redrive.audit_retention', 'on', true)

-- name: forbid
-- Ends what `allow` began.
SELECT set_config('redrive.audit_retention', '', true)

-- name: remove_events
-- Deletes events from before the cutoff, in id order.
WITH scanned AS MATERIALIZED (
    SELECT id, at FROM retry_auditevent WHERE id > %(after_id)s::bigint ORDER BY id LIMIT %(limit)s
), due AS MATERIALIZED (
    SELECT id FROM scanned WHERE at < %(cutoff)s
), removed AS (
    DELETE FROM retry_auditevent e USING due d WHERE e.id = d.id AND NOT %(dry)s RETURNING e.id
)
@report_by_id
