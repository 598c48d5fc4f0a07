-- name: canary_state
-- Sums up an operation's canary runs since the last draw: runs planned, runs unfinished, entries
-- succeeded, entries failed, runs on hold. Held runs count only as such, because they have no
-- outcome as long as the hold is active.
SELECT count(*) FILTER (WHERE state = 'planned' AND NOT on_hold),
       count(*) FILTER (WHERE state = 'running' OR state = 'queued' AND NOT on_hold),
       coalesce(sum(succeeded + unchanged), 0), coalesce(sum(failed + scheduled), 0),
       count(*) FILTER (WHERE state IN ('planned', 'queued') AND on_hold)
FROM (
    SELECT *, %(by_workers)s AND @run_is_held AS on_hold FROM retry_run
    WHERE operation_id = %(operation)s AND canary
      -- What ended before the canary was drawn again belongs to an earlier canary.
      AND (%(since)s::timestamptz IS NULL OR ended_at IS NULL OR ended_at >= %(since)s)
) r

-- name: last_outcomes
-- Reads successes and failures of the last 100 runs with outcomes since the operation was resumed,
-- the newest first, either the canary's or the others.
SELECT succeeded + unchanged, failed + scheduled FROM retry_run
WHERE operation_id = %(operation)s AND canary = %(canary)s AND started_at >= %(since)s
  AND succeeded + unchanged + failed + scheduled > 0
ORDER BY started_at DESC LIMIT 100

-- name: under_way
-- Counts an operation's entries that are queued or running without an outcome, and the runs that
-- workers have. What is held cannot fail now and does not count.
SELECT coalesce(sum(size - skipped_count - handed_on
                    - succeeded - failed - scheduled - unchanged - cancelled)
                FILTER (WHERE state = 'running' OR NOT @run_is_held), 0),
       count(*) FILTER (WHERE state = 'running')
FROM retry_run WHERE operation_id = %(operation)s AND state IN ('queued', 'running')

-- name: speed
-- Sums entries and seconds of an operation's last 20 runs with outcomes.
SELECT coalesce(sum(done), 0), coalesce(sum(seconds), 0)
FROM (
    SELECT succeeded + failed + scheduled + unchanged AS done,
           extract(epoch FROM coalesce(ended_at, clock_timestamp()) - started_at) AS seconds
    FROM retry_run
    WHERE operation_id = %(operation)s AND started_at IS NOT NULL
      AND succeeded + failed + scheduled + unchanged > 0
    ORDER BY started_at DESC LIMIT 20
) r

-- name: judged
-- Counts the outcomes of an operation's newest runs with outcomes since it was resumed, of so many
-- runs at most, and these runs.
SELECT coalesce(sum(done), 0), count(*)
FROM (
    SELECT succeeded + failed + scheduled + unchanged AS done FROM retry_run
    WHERE operation_id = %(operation)s AND started_at >= %(since)s
      AND succeeded + failed + scheduled + unchanged > 0
    ORDER BY started_at DESC LIMIT %(runs)s
) r
