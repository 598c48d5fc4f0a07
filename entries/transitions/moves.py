"""Moving many entries, each in the name of a given run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from entries.sql import array
from entries.states import EntryStatus, allowed_statuses


@dataclass(frozen=True, slots=True)
class SkippedEntries:
    """Entries that a set-based move left alone: what they were, None where they are not there."""

    run_id: UUID
    status: EntryStatus | None
    has_source: bool
    ids: list[int]


#: ``wanted`` is what was asked for, ``picked`` what is there; ``moved`` is up to the verb.
_MOVE = """
WITH wanted AS MATERIALIZED (
    SELECT * FROM unnest(%(ids)s::bigint[], %(run_ids)s::uuid[]) AS t (id, run_id)
), picked AS MATERIALIZED (
    SELECT id, status, source_id IS NOT NULL AS has_source
    FROM entries_entry WHERE id = ANY(%(ids)s::bigint[]) ORDER BY id FOR UPDATE
), {moves}
SELECT w.run_id, p.status, coalesce(p.has_source, false), array_agg(w.id ORDER BY w.id)
FROM wanted w LEFT JOIN picked p ON p.id = w.id LEFT JOIN moved m ON m.id = w.id
WHERE m.id IS NULL GROUP BY w.run_id, p.status, p.has_source
"""

#: To a worker, as a new attempt in a new cycle of automatic retries.
_TO_WORK = """moved AS (
        UPDATE entries_entry e
        SET status = 'queued', attempt = e.attempt + 1, run_id = w.run_id,
            next_attempt_at = CASE WHEN %(rescan)s THEN e.next_attempt_at END,
            automatic_attempts = 0, status_changed_at = now(), updated_at = now()
        FROM picked p JOIN wanted w ON w.id = p.id
        WHERE e.id = p.id AND p.status = ANY(%(sources)s) AND (p.has_source OR NOT %(rescan)s)
        RETURNING e.id, e.attempt, e.run_id, p.status
    ), noted AS (
        INSERT INTO entries_attempt (entry_id, number, run_id, status, previous_status, queued_at,
                                     worker, error_class, error_message, traceback, fingerprint,
                                     is_rescan)
        SELECT m.id, m.attempt, m.run_id, 'queued', m.status, now(), '', '', '', '', '',
               EXISTS (SELECT FROM entries_attempt b
                       WHERE b.entry_id = m.id AND b.number < m.attempt
                         AND b.started_at IS NOT NULL)
        FROM moved m
    )"""

_MOVES = {
    "retry": _TO_WORK,
    "retry_now": _TO_WORK,
    "resync": _TO_WORK,
    "stop": """moved AS (
        UPDATE entries_entry e
        SET status = 'failed', next_attempt_at = NULL, failed_at = coalesce(e.failed_at, now()),
            status_changed_at = now(), updated_at = now()
        FROM picked p WHERE e.id = p.id AND p.status = ANY(%(sources)s)
        RETURNING e.id
    )""",
    "discard": """moved AS (
        UPDATE entries_entry e
        SET status = 'discarded', next_attempt_at = NULL, status_changed_at = now(),
            updated_at = now()
        FROM picked p WHERE e.id = p.id AND p.status = ANY(%(sources)s)
        RETURNING e.id
    )""",
    "restore": """moved AS (
        UPDATE entries_entry e
        SET status = CASE WHEN e.failed_at IS NULL OR e.fingerprint = '' THEN 'pending'
                          ELSE 'failed' END,
            status_changed_at = now(), updated_at = now()
        FROM picked p WHERE e.id = p.id AND p.status = ANY(%(sources)s)
        RETURNING e.id
    )""",
}


def move(wanted: Sequence[tuple[int, UUID]], *, verb: str) -> list[SkippedEntries]:
    """Do ``verb`` to many entries, each in the name of a given run.

    The verbs are those of ``_MOVES``; ``resync`` leaves alone what has no source.
    Returns only what was left alone, so that a million moves do not travel back.
    """
    params: dict[str, Any] = {
        # As PostgreSQL writes arrays: psycopg takes ten times as long for thousands of elements.
        "ids": array([entry_id for entry_id, _ in wanted]),
        "run_ids": array([run_id for _, run_id in wanted]),
        "sources": sorted(allowed_statuses(verb)),
        "rescan": verb == "resync",
    }
    with connection.cursor() as cursor:
        cursor.execute(_MOVE.format(moves=_MOVES[verb]), params)
        return [
            SkippedEntries(run_id, EntryStatus(status) if status else None, has_source, ids)
            for run_id, status, has_source, ids in cursor.fetchall()
        ]
