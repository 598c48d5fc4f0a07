-- name: take_lease
-- Takes or renews the dispatcher's lease; no row where another process holds it.
INSERT INTO retry_heartbeat AS b
    (name, host, pid, started_at, beat_at, last_tick, holder, lease_until)
VALUES (%(name)s, %(host)s, %(pid)s, %(started_at)s, clock_timestamp(), '{}', %(holder)s,
        clock_timestamp() + make_interval(secs => %(lease)s))
ON CONFLICT (name) DO UPDATE
SET host = EXCLUDED.host, pid = EXCLUDED.pid, started_at = EXCLUDED.started_at,
    beat_at = EXCLUDED.beat_at, holder = EXCLUDED.holder, lease_until = EXCLUDED.lease_until
WHERE b.holder = EXCLUDED.holder OR b.lease_until IS NULL OR b.lease_until < clock_timestamp()
RETURNING true
