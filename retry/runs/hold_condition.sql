-- What is on hold, as fragments about a row of retry_run: said here and nowhere else.

-- fragment: hold_covers_run
-- True where hold h, active or lifted, is on the run's source, on its kind or on its upstream.
(h.kind <> '' AND h.kind = retry_run.kind AND h.upstream IN ('', retry_run.upstream)
    OR h.source_id IS NOT NULL AND h.source_id = retry_run.source_id)

-- fragment: run_is_held
-- True where an active hold covers the run. The breaker's probes pass the breaker's own holds.
-- Its partial index answers it: few rows at any time.
EXISTS (
    SELECT FROM retry_hold h
    WHERE h.lifted_at IS NULL AND @hold_covers_run AND NOT (h.automatic AND retry_run.probe))

-- fragment: newest_lift
-- When the last hold on the run was lifted; NULL where that was more than ten minutes ago.
(SELECT max(h.lifted_at) FROM retry_hold h
 WHERE h.lifted_at > now() - interval '10 minutes' AND @hold_covers_run)

-- name: active_holds
-- Reads what is on hold now, one row for each hold.
SELECT kind, upstream, source_id FROM retry_hold WHERE lifted_at IS NULL

-- name: held_upstreams
-- Reads the upstreams of a kind that are on hold, for a probe only those that a person holds.
SELECT upstream FROM retry_hold
WHERE lifted_at IS NULL AND kind = %(kind)s AND upstream <> '' AND NOT (automatic AND %(probe)s)
