-- fragment: running
-- Locks, in id order, the entries that the dead worker's run still holds.
SELECT id FROM entries_entry
WHERE id = ANY(%(ids)s::bigint[]) AND run_id = %(run_id)s AND status = 'running'
ORDER BY id FOR UPDATE

-- name: rescue
-- Ends the attempts that a dead worker has left running. Each entry is queued under a run id of its
-- own, or failed where it has been lost more often in a row than its kind's rescue limit; only
-- attempts that had begun count.
WITH picked AS MATERIALIZED (
    @running
), judged AS MATERIALIZED (
    SELECT e.id, e.attempt, e.worker, e.status_changed_at AS claimed_at, a.previous_status,
           a.began OR %(began)s AS began,
           (SELECT count(*) FROM entries_attempt l
            WHERE l.entry_id = e.id AND l.status = 'lost' AND l.began AND l.number > coalesce(
                (SELECT max(b.number) FROM entries_attempt b
                 WHERE b.entry_id = e.id AND b.number < e.attempt AND b.status <> 'lost'), 0)
           ) + (a.began OR %(began)s)::int <= coalesce(k.rescue_limit, 0) AS again
    FROM picked p
    JOIN entries_entry e ON e.id = p.id
    JOIN entries_attempt a ON a.entry_id = e.id AND a.number = e.attempt
    LEFT JOIN unnest(%(kinds)s::text[], %(limits)s::int[]) AS k (kind, rescue_limit)
        ON k.kind = e.kind
), moved AS (
    UPDATE entries_entry e
    SET status = CASE WHEN j.again THEN 'queued' ELSE 'failed' END, worker = '',
        attempt = e.attempt + j.again::int,
        run_id = CASE WHEN j.again THEN gen_random_uuid() ELSE e.run_id END,
        error_class = %(error_class)s, error_message = %(message)s, fingerprint = %(fingerprint)s,
        failed_at = CASE WHEN j.again THEN e.failed_at ELSE now() END,
        status_changed_at = now(), updated_at = now()
    FROM judged j WHERE e.id = j.id
    RETURNING e.id, e.kind, e.attempt, e.run_id, j.again, j.attempt AS lost_attempt,
              j.worker, j.claimed_at, j.previous_status, j.began
), closed AS (
    UPDATE entries_attempt a
    SET status = CASE WHEN m.again THEN 'lost' ELSE 'failed' END, began = m.began,
        worker = m.worker, started_at = m.claimed_at, ended_at = clock_timestamp(),
        error_class = %(error_class)s, error_message = %(message)s, fingerprint = %(fingerprint)s
    FROM moved m WHERE a.entry_id = m.id AND a.number = m.lost_attempt
), noted AS (
    INSERT INTO entries_attempt (entry_id, number, run_id, status, previous_status, queued_at,
                                 worker, error_class, error_message, traceback, fingerprint,
                                 is_rescan, change, hash_before, hash_after)
    SELECT m.id, m.attempt, m.run_id, 'queued', m.previous_status, now(), '', '', '', '', '',
           true,  -- the lost attempt had started
           -- A resync may have stored a change already, which is still to be processed.
           l.change, l.hash_before, l.hash_after
    FROM moved m JOIN entries_attempt l ON l.entry_id = m.id AND l.number = m.lost_attempt
    WHERE m.again ORDER BY m.id
)
SELECT id, kind, attempt, CASE WHEN again THEN run_id END FROM moved ORDER BY id

-- name: release
-- Puts entries that the dead worker had not begun back into their run's queue: the same attempt.
WITH picked AS MATERIALIZED (
    @running
), moved AS (
    UPDATE entries_entry e
    SET status = 'queued', worker = '', status_changed_at = now(), updated_at = now()
    FROM picked p WHERE e.id = p.id RETURNING e.id
)
SELECT id FROM moved ORDER BY id
