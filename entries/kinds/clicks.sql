-- name: find_click
-- Reads where the source of an entry is, and when the click came that its attempt belongs to, in
-- microseconds. What a dead worker has lost and the attempt that follows belong to one click.
-- Changes nothing.
SELECT s.location, s.options::text, s.kind, (
    SELECT (extract(epoch FROM min(a.queued_at)) * 1000000)::bigint FROM entries_attempt a
    WHERE a.entry_id = e.id AND a.number <= %(number)s AND a.number > coalesce(
        (SELECT max(b.number) FROM entries_attempt b
         WHERE b.entry_id = e.id AND b.number < %(number)s AND b.status <> 'lost'), 0))
FROM entries_entry e JOIN entries_source s ON s.id = e.source_id WHERE e.id = %(entry_id)s
