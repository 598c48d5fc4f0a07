-- name: beat
-- Writes a worker's sign of life and what it is at, by the database's clock.
INSERT INTO retry_workerheartbeat
    (id, name, queue, host, pid, started_at, beat_at, state, job_id, run_id, busy_since)
VALUES (%(id)s, %(name)s, %(queue)s, %(host)s, %(pid)s, %(started_at)s, clock_timestamp(),
        %(state)s, %(job_id)s, %(run_id)s, %(since)s)
ON CONFLICT (id) DO UPDATE
SET beat_at = EXCLUDED.beat_at, state = EXCLUDED.state, job_id = EXCLUDED.job_id,
    run_id = EXCLUDED.run_id, busy_since = EXCLUDED.busy_since

-- name: list_workers
-- Reads the workers that have not ended in order, with how long each has been silent.
SELECT name, queue, host, pid, state, beat_at, statement_timestamp() - beat_at AS silence, job_id, run_id,
       busy_since
FROM retry_workerheartbeat
ORDER BY queue, name
