-- name: settle
-- Ends the proof of a group whose lock the caller holds. It is resolved where all of the operation
-- succeeded and nothing with its fingerprint is failed; else it keeps its state. Returns the state
-- and whether it is proven.
UPDATE retry_errorgroup g
SET proof_id = NULL,
    state = CASE WHEN p.proven THEN 'resolved' ELSE g.state END,
    resolved_at = CASE WHEN p.proven THEN clock_timestamp() ELSE g.resolved_at END,
    resolved_by = CASE WHEN p.proven THEN p.actor_label ELSE g.resolved_by END,
    resolved_operation_id = CASE WHEN p.proven THEN p.id ELSE g.resolved_operation_id END
FROM (
    SELECT o.id, o.actor_label, o.state = 'completed' AND r.succeeded > 0 AND r.others = 0
           AND NOT EXISTS (
               SELECT FROM entries_entry e JOIN retry_errorgroup h ON h.fingerprint = e.fingerprint
               WHERE h.id = %(group)s AND e.status = 'failed') AS proven
    FROM retry_operation o CROSS JOIN LATERAL (
        SELECT coalesce(sum(succeeded), 0) AS succeeded,
               coalesce(sum(failed + scheduled + unchanged + cancelled), 0) AS others
        FROM retry_run WHERE operation_id = o.id
    ) r
) p
WHERE g.id = %(group)s AND p.id = g.proof_id
RETURNING g.state, p.proven
