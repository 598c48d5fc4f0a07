-- name: find_first_id
-- Returns the lowest id of entries received at "moment" plus so many seconds or later, or the one behind
-- the last, by halving the range of ids: two index lookups for each bit of an id. Ids must be in
-- the order of time; NULL where there are no entries.
WITH RECURSIVE halves (low, high) AS (
    SELECT min(id), max(id) + 1 FROM entries_entry
    UNION ALL
    SELECT CASE WHEN earlier THEN next_id + 1 ELSE low END,
           CASE WHEN earlier THEN high ELSE middle END
    FROM (
        SELECT h.low, h.high, h.middle, e.id AS next_id,
               e.id < h.high AND e.created_at < %(moment)s::timestamptz + %(seconds)s * interval '1 second'
                   AS earlier
        FROM (SELECT low, high, low + (high - low) / 2 AS middle FROM halves WHERE low < high) h
        LEFT JOIN LATERAL (
            SELECT id, created_at FROM entries_entry WHERE id >= h.middle ORDER BY id LIMIT 1
        ) e ON true
    ) probed
)
SELECT max(low) FROM halves
