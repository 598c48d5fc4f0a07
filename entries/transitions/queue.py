"""Putting entries to work, in runs that the statement itself makes up; and taking them back."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from entries.states import EntryStatus, allowed_statuses


@dataclass(frozen=True, slots=True)
class QueueResult:
    """One entry as a ``queue`` statement found it; ``run_id`` is set where it was moved."""

    id: int
    kind: str
    #: Before the statement.
    status: EntryStatus
    #: After the statement.
    attempt: int
    run_id: UUID | None
    source_id: int | None
    #: Of its run, where that is on hold: such entries have runs of their own.
    upstream: str = ""


_QUEUE = """
WITH picked AS MATERIALIZED (
    SELECT id, kind, source_id, upstream, status, attempt FROM entries_entry
    WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE {skip_locked}
), eligible AS (
    SELECT p.id, p.kind, p.source_id, p.status, coalesce(h.upstream, '') AS upstream,
           (row_number() OVER (PARTITION BY p.kind, p.source_id, h.upstream ORDER BY p.id) - 1)
               / coalesce(s.size, 1) AS chunk
    FROM picked p
    LEFT JOIN unnest(%(kinds)s::text[], %(sizes)s::int[]) AS s (kind, size) ON s.kind = p.kind
    LEFT JOIN unnest(%(held_kinds)s::text[], %(held_upstreams)s::text[]) AS h (kind, upstream)
        ON h.kind = p.kind AND h.upstream = p.upstream
    WHERE p.status = ANY(%(sources)s) AND NOT (%(rescan)s AND p.source_id IS NULL)
), runs AS MATERIALIZED (
    SELECT kind, source_id, upstream, chunk, gen_random_uuid() AS run_id
    FROM eligible GROUP BY kind, source_id, upstream, chunk
), moved AS (
    UPDATE entries_entry e
    SET status = 'queued', attempt = e.attempt + 1, run_id = r.run_id,
        -- A resync that finds its source closed puts everything back as it was.
        next_attempt_at = CASE WHEN %(rescan)s THEN e.next_attempt_at END,
        automatic_attempts = CASE WHEN %(fresh)s THEN 0 ELSE e.automatic_attempts END,
        status_changed_at = now(), updated_at = now()
    FROM eligible g
    JOIN runs r ON r.kind = g.kind AND r.chunk = g.chunk AND r.upstream = g.upstream
               AND coalesce(r.source_id, 0) = coalesce(g.source_id, 0)
    WHERE e.id = g.id
    RETURNING e.id, e.attempt, e.run_id, g.status, g.upstream
), noted AS (
    INSERT INTO entries_attempt (entry_id, number, run_id, status, previous_status, queued_at,
                                 worker, error_class, error_message, traceback, fingerprint,
                                 is_rescan)
    SELECT m.id, m.attempt, m.run_id, 'queued', m.status, now(), '', '', '', '', '',
           EXISTS (SELECT FROM entries_attempt b
                   WHERE b.entry_id = m.id AND b.number < m.attempt AND b.started_at IS NOT NULL)
    FROM moved m ORDER BY m.id
)
SELECT p.id, p.kind, p.status, coalesce(m.attempt, p.attempt), m.run_id, p.source_id,
       coalesce(m.upstream, '')
FROM picked p LEFT JOIN moved m ON m.id = p.id ORDER BY p.id
"""


def queue(
    ids: Iterable[int],
    *,
    verb: str,
    run_sizes: Mapping[str, int],
    held: Collection[tuple[str, str]] = (),
) -> list[QueueResult]:
    """Move what ``verb`` allows to ``queued``, each under the id of the run it now belongs to.

    Entries are gathered into runs by kind and source, in id order, at most ``run_sizes[kind]`` in
    each; those of an upstream that is ``held``, as (kind, upstream), go into runs of its own. Every
    verb but ``wake`` starts a new cycle of automatic retries; ``resync`` leaves alone what has no
    source. Unknown ids are missing from the answer, and from that of ``wake`` those whose row
    somebody else holds.
    """
    params: dict[str, Any] = {
        "ids": list(ids),
        "kinds": list(run_sizes),
        "sizes": list(run_sizes.values()),
        "sources": sorted(allowed_statuses(verb)),
        "fresh": verb != "wake",
        "rescan": verb == "resync",
        "held_kinds": [kind for kind, _ in held],
        "held_upstreams": [upstream for _, upstream in held],
    }
    with connection.cursor() as cursor:
        # Nobody asked for a wake: what somebody holds is due at the next look as well.
        skip_locked = "SKIP LOCKED" if verb == "wake" else ""
        cursor.execute(_QUEUE.format(skip_locked=skip_locked), params)
        return [
            QueueResult(id_, kind, EntryStatus(status), *rest)
            for id_, kind, status, *rest in cursor.fetchall()
        ]


_CANCEL = """
WITH picked AS MATERIALIZED (
    SELECT e.id, e.attempt, a.previous_status
    FROM entries_entry e JOIN entries_attempt a ON a.entry_id = e.id AND a.number = e.attempt
    WHERE e.id = ANY(%(ids)s) AND e.run_id = %(run_id)s AND e.status = 'queued'
    ORDER BY e.id FOR UPDATE OF e
), moved AS (
    UPDATE entries_entry e
    SET status = p.previous_status, status_changed_at = now(), updated_at = now(),
        next_attempt_at = CASE p.previous_status
            WHEN 'scheduled' THEN coalesce(e.next_attempt_at, now()) END
    FROM picked p WHERE e.id = p.id RETURNING e.id, e.attempt
), noted AS (
    UPDATE entries_attempt a SET status = 'cancelled', ended_at = clock_timestamp()
    FROM moved m WHERE a.entry_id = m.id AND a.number = m.attempt
)
SELECT id FROM moved
"""


def cancel(ids: Iterable[int], *, run_id: UUID) -> set[int]:
    """Put what nobody has begun back to what it was before the run queued it."""
    with connection.cursor() as cursor:
        cursor.execute(_CANCEL, {"ids": list(ids), "run_id": run_id})
        return {row[0] for row in cursor.fetchall()}
