-- fragment: in_sight
-- True for runs of the sources that the viewer sees, and for the viewer's own over ids that are no
-- entries.
(%(everything)s OR CASE r.kind WHEN '' THEN r.actor_id = %(viewer)s ELSE
    r.source_id = ANY(%(sources)s::bigint[]) OR r.source_id IS NULL AND %(sourceless)s END)

-- name: visible_total
-- Counts the entries of each operation's runs that are in sight; one without such runs is missing.
SELECT r.operation_id, sum(r.size - r.handed_on) FROM retry_run r
WHERE r.operation_id = ANY(%(operations)s) AND @in_sight GROUP BY 1
