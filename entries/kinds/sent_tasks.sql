-- name: find
-- Reads the task that was last sent for an entry. Changes nothing.
SELECT task_id, cycle, state FROM entries_senttask WHERE entry_id = %(entry_id)s

-- name: begin
-- Notes that a task is about to be sent, if the attempt still holds its entry. Of all who try that for
-- one click, one gets a row. None gets one while the end of an earlier task was not seen, unless a
-- person has said that what was sent before a time is lost.
INSERT INTO entries_senttask AS s (entry_id, task_id, cycle, state, intended_at)
SELECT e.id, %(task_id)s, %(cycle)s, 'intended', now() FROM entries_entry e
WHERE e.id = %(entry_id)s AND e.run_id = %(run_id)s AND e.attempt = %(number)s
  AND e.status = 'running'
ON CONFLICT (entry_id) DO UPDATE
SET task_id = excluded.task_id, cycle = excluded.cycle, state = 'intended', intended_at = now(),
    sent_at = NULL
WHERE s.cycle < excluded.cycle
  AND (s.state IN ('ended', 'doubtful') OR s.intended_at < %(lost_before)s::timestamptz)
RETURNING task_id

-- name: note_sent
-- Notes that a task was sent. Only who has sent it knows, whether or not the entry is still its own.
UPDATE entries_senttask SET state = 'sent', sent_at = now()
WHERE entry_id = %(entry_id)s AND task_id = %(task_id)s AND state = 'intended'

-- name: note_end
-- Notes how the wait for a task ended, if the attempt still holds its entry: from then on, a later
-- click may send another one.
UPDATE entries_senttask s SET state = %(state)s FROM entries_entry e
WHERE s.entry_id = %(entry_id)s AND s.task_id = %(task_id)s AND e.id = s.entry_id
  AND e.run_id = %(run_id)s AND e.status = 'running'
