-- name: external_ids
-- Lists the external ids of entries, in no order.
SELECT external_id FROM entries_entry WHERE id = ANY(%(ids)s)

-- name: next_external_ids
-- Lists the external ids of the queued runs behind a run, of its operation and its source: whole
-- runs, in order of their position, up to a number of entries. Looks at 200 runs at most.
SELECT e.external_id
FROM (
    SELECT entry_ids, sum(size) OVER (ORDER BY position) AS so_far FROM retry_run
    WHERE operation_id = %(operation)s AND position > %(position)s AND state = 'queued'
      AND source_id = %(source)s
    ORDER BY position LIMIT 200
) r
CROSS JOIN unnest(r.entry_ids) AS u (id) JOIN entries_entry e ON e.id = u.id
WHERE r.so_far <= %(limit)s

-- name: time
-- Tells the time by the database's clock, even inside a transaction.
SELECT clock_timestamp()
