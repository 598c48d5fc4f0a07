-- name: fold
-- Moves the oldest changes into the totals: each is deleted and added in one statement. Rows that
-- another one is folding are skipped. Returns how many were taken.
WITH taken AS MATERIALIZED (
    DELETE FROM entries_statuschange
    WHERE id = ANY(ARRAY(
        SELECT id FROM entries_statuschange ORDER BY id LIMIT %(batch)s FOR UPDATE SKIP LOCKED))
    RETURNING source_id, status, count
), folded AS (
    INSERT INTO entries_statustotal AS t (source_id, status, count)
    SELECT source_id, status, sum(count) FROM taken GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (source_id, status) DO UPDATE SET count = t.count + EXCLUDED.count
)
SELECT count(*) FROM taken

-- name: lock_recounts
-- Waits for another recount, which would append the same again; changes and folds do not wait.
LOCK TABLE entries_statustotal IN SHARE UPDATE EXCLUSIVE MODE

-- name: recount
-- Appends what is missing between the counts and the entries of the same moment. Changes and folds of
-- others meanwhile stay right. Returns by how many entries the counts were wrong.
WITH missing AS (
    SELECT source_id, status, sum(count) AS count
    FROM (
        SELECT source_id, status, count(*) AS count FROM entries_entry GROUP BY 1, 2
        UNION ALL SELECT source_id, status, -count FROM entries_statustotal
        UNION ALL SELECT source_id, status, -count FROM entries_statuschange
    ) AS c
    GROUP BY 1, 2
    HAVING sum(count) <> 0
), appended AS (
    INSERT INTO entries_statuschange (source_id, status, count)
    SELECT source_id, status, count FROM missing
)
SELECT coalesce(sum(abs(count)), 0)::bigint FROM missing
