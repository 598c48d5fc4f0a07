-- name: lock
-- Locks groups in the order of their fingerprints.
SELECT FROM retry_errorgroup WHERE fingerprint = ANY(%(fingerprints)s)
ORDER BY fingerprint FOR UPDATE

-- name: record
-- Notes failures, one row for each fingerprint, in their groups; creates those that are new. The
-- caller holds the locks of the others, and so judges them as the last verb has left them: of a
-- resolution and a failure the second to commit sees the first. Writes an audit event for each group
-- that regressed or is open again. Returns the ids of those that are new or have regressed, and which
-- of both.
--
-- A failure from before a resolution was known to the person who resolved. An operation resolves
-- only where nothing is failed, so there an entry that is failed has failed since.
WITH given AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(failures)s::json) AS t (
        fingerprint text, error_class text, message text, kinds varchar[], upstreams varchar[],
        first_at timestamptz, last_at timestamptz, number bigint, sample bigint)
), judged AS MATERIALIZED (
    SELECT n.*, k.id, k.state AS before,
           coalesce(k.state = 'resolved' AND (
               n.last_at > k.resolved_at
               OR k.resolved_operation_id IS NOT NULL AND EXISTS (
                   SELECT FROM entries_entry e
                   WHERE e.status = 'failed' AND e.fingerprint = n.fingerprint)), false)
               AS regresses,
           coalesce(k.state = 'muted' AND (
               k.muted_until <= now() OR k.failures + n.number - k.mute_from > k.mute_above), false)
               AS opens
    FROM given n LEFT JOIN retry_errorgroup k ON k.fingerprint = n.fingerprint
), created AS (
    INSERT INTO retry_errorgroup AS g (
        fingerprint, error_class, message, kinds, upstreams, first_seen, last_seen, failures,
        sample_entry_id)
    SELECT j.fingerprint, j.error_class, j.message, j.kinds, j.upstreams, j.first_at, j.last_at,
           j.number, j.sample
    FROM judged j WHERE j.id IS NULL ORDER BY j.fingerprint
    -- Another dispatcher has created it since this statement began.
    ON CONFLICT (fingerprint) DO UPDATE
    SET last_seen = greatest(g.last_seen, excluded.last_seen),
        failures = g.failures + excluded.failures
    RETURNING g.id, g.xmax = 0 AS is_new
), touched AS (
    UPDATE retry_errorgroup g
    SET first_seen = least(g.first_seen, j.first_at),
        last_seen = greatest(g.last_seen, j.last_at),
        failures = g.failures + j.number,
        kinds = CASE WHEN g.kinds @> j.kinds THEN g.kinds ELSE ARRAY(
            SELECT u.name FROM unnest(g.kinds || j.kinds) WITH ORDINALITY
                AS u (name, place)
            GROUP BY u.name ORDER BY min(u.place) LIMIT %(most)s) END,
        upstreams = CASE WHEN g.upstreams @> j.upstreams THEN g.upstreams ELSE ARRAY(
            SELECT u.name FROM unnest(g.upstreams || j.upstreams) WITH ORDINALITY
                AS u (name, place)
            GROUP BY u.name ORDER BY min(u.place) LIMIT %(most)s) END,
        sample_entry_id = CASE WHEN j.last_at >= g.last_seen
            THEN coalesce(j.sample, g.sample_entry_id) ELSE g.sample_entry_id END,
        state = CASE WHEN j.regresses THEN 'regressed' WHEN j.opens THEN 'open' ELSE g.state END,
        regressed_at = CASE WHEN j.regresses THEN now() ELSE g.regressed_at END
    FROM judged j WHERE g.id = j.id
    RETURNING g.id, g.state, g.resolved_operation_id, g.resolved_by
), audited AS (
    INSERT INTO retry_auditevent (
        verb, actor_label, channel, request_id, operation_id, subject, count, reason, before, after)
    SELECT CASE WHEN j.regresses THEN 'regress_group' ELSE 'unmute_group' END, %(recorder)s, 'system',
           '', CASE WHEN j.regresses THEN t.resolved_operation_id END, 'retry.errorgroup:' || t.id,
           j.number,
           CASE WHEN NOT j.regresses THEN 'it failed more often than it was muted for'
                WHEN t.resolved_operation_id IS NOT NULL
                    THEN 'it failed again after operation ' || t.resolved_operation_id
                ELSE 'it failed again after ' || t.resolved_by || ' had resolved it' END,
           jsonb_build_object('state', j.before), jsonb_build_object('state', t.state)
    FROM touched t JOIN judged j ON j.id = t.id
    WHERE j.regresses OR j.opens
)
SELECT id, false FROM created WHERE is_new
UNION ALL SELECT t.id, true FROM touched t JOIN judged j ON j.id = t.id WHERE j.regresses
