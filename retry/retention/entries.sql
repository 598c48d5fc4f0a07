-- fragment: deciding
-- Of the entries in `scanned`, those to delete. What its source still has stays, or the next sync would
-- store it as something new; deliveries of notices go with their notices.
due AS MATERIALIZED (
    SELECT c.id FROM scanned c LEFT JOIN entries_source s ON s.id = c.source_id
    WHERE c.status = %(status)s AND c.status_changed_at < %(cutoff)s
      AND (s.id IS NULL OR (s.kind <> %(notices)s
                            AND (s.last_synced_at IS NULL OR c.gone_at < %(cutoff)s)))
), @under_way, doomed AS MATERIALIZED (
    SELECT id FROM due EXCEPT SELECT id FROM under_way
), @removing_entries
SELECT (SELECT count(*) FROM scanned WHERE at < %(cutoff)s),
       CASE WHEN %(dry)s THEN (SELECT count(*) FROM doomed)
            ELSE (SELECT count(*) FROM removed_entries) END,
       '', (SELECT max(id)::text FROM scanned WHERE at < %(cutoff)s)

-- name: remove_entries
-- Deletes entries that came to rest in a status before the cutoff, with their attempts, in id order.
WITH scanned AS MATERIALIZED (
    SELECT id, created_at AS at, status, status_changed_at, source_id, gone_at FROM entries_entry
    WHERE id > %(after_id)s::bigint ORDER BY id LIMIT %(limit)s
), @deciding

-- name: remove_discarded
-- The same for discarded ones, which have an index.
WITH scanned AS MATERIALIZED (
    SELECT id, created_at AS at, status, status_changed_at, source_id, gone_at FROM entries_entry
    WHERE id > %(after_id)s::bigint AND status = 'discarded' ORDER BY id LIMIT %(limit)s
), @deciding

-- name: remove_notices
-- Deletes notices that were recorded before the cutoff with their deliveries and the entries of these. A
-- notice stays while one of its entries is not at rest for so long, or its outage is not over.
WITH scanned AS MATERIALIZED (
    SELECT id, recorded_at AS at, told_at, outage_id FROM retry_notice
    WHERE id > %(after_id)s::bigint ORDER BY id LIMIT %(limit)s
), settled AS MATERIALIZED (
    SELECT c.id FROM scanned c LEFT JOIN retry_outage o ON o.id = c.outage_id
    WHERE c.at < %(cutoff)s AND c.told_at IS NOT NULL AND (o.id IS NULL OR o.over_at IS NOT NULL)
), delivered AS MATERIALIZED (
    SELECT d.notice_id, e.id, e.status, e.status_changed_at
    FROM settled c JOIN retry_noticedelivery d ON d.notice_id = c.id
    JOIN entries_entry e ON e.id = d.entry_id
), due AS MATERIALIZED (
    SELECT id FROM delivered
), @under_way, doomed AS MATERIALIZED (
    SELECT d.id FROM delivered d WHERE d.notice_id NOT IN (
        SELECT n.notice_id FROM delivered n
        WHERE n.status NOT IN ('succeeded', 'failed', 'discarded')
           OR n.status_changed_at >= %(cutoff)s OR n.id IN (SELECT id FROM under_way))
), @removing_entries, removable AS MATERIALIZED (
    SELECT c.id FROM settled c WHERE NOT EXISTS (
        SELECT FROM delivered d WHERE d.notice_id = c.id
          AND d.id NOT IN (SELECT id FROM doomed WHERE %(dry)s
                           UNION ALL SELECT id FROM removed_entries))
), removed_deliveries AS (
    DELETE FROM retry_noticedelivery d USING removable r WHERE d.notice_id = r.id AND NOT %(dry)s
), removed AS (
    DELETE FROM retry_notice n USING removable r WHERE n.id = r.id AND NOT %(dry)s RETURNING n.id
)
SELECT (SELECT count(*) FROM scanned WHERE at < %(cutoff)s),
       CASE WHEN %(dry)s THEN (SELECT count(*) FROM removable) ELSE (SELECT count(*) FROM removed) END,
       '', (SELECT max(id)::text FROM scanned WHERE at < %(cutoff)s)
