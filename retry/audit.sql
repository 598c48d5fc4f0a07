-- fragment: record_moved
-- Inserts one event about what `moved` (id, run_id, status: the one before) has queued, in the
-- statement that moves it; none where that is nothing, or no verb is named.
INSERT INTO retry_auditevent (
    verb, actor_id, actor_label, token_id, token_label, channel, request_id, entry_id, run_id,
    count, reason, before, after)
SELECT %(audit)s::text, %(actor)s, %(label)s, %(token_id)s, %(token_label)s, %(channel)s,
       %(request_id)s,
       CASE WHEN count(*) = 1 THEN min(m.id) END,
       CASE WHEN count(DISTINCT m.run_id) = 1 THEN (array_agg(m.run_id))[1] END,
       count(*), %(reason)s,
       jsonb_build_object('status', array_agg(DISTINCT m.status ORDER BY m.status)),
       jsonb_build_object('status', 'queued', 'runs', count(DISTINCT m.run_id))
FROM moved m WHERE %(audit)s::text <> '' HAVING count(*) > 0
