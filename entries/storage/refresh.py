"""What a resync does to entries it holds, before they are processed or instead of that.

Fenced by the run id like everything a worker writes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from entries.sql import array
from entries.states import AttemptStatus, Change
from entries.text import ErrorInfo


@dataclass(frozen=True, slots=True)
class FreshContent:
    """What the source says of one entry now. ``title`` and ``payload`` are None where it is gone,
    and where they are what is stored. The hashes are of what was stored and of what the source has.
    ``upstream`` is what the new payload depends on.
    """

    entry_id: int
    change: Change
    hash_before: str
    hash_after: str
    title: str | None = None
    payload: Mapping[str, Any] | None = None
    upstream: str = ""


@dataclass(frozen=True, slots=True)
class Reversal:
    """Why one entry is not processed: ``failed`` with its error, or ``unchanged``."""

    entry_id: int
    status: AttemptStatus
    error: ErrorInfo | None = None


_REFRESH = """
WITH found AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(found)s::json) AS t (
        entry_id bigint, change text, hash_before text, hash_after text, title text, payload jsonb,
        upstream text)
), picked AS MATERIALIZED (
    SELECT id FROM entries_entry
    WHERE id = ANY(%(ids)s::bigint[]) AND run_id = %(run_id)s AND status = 'running'
    ORDER BY id FOR UPDATE
), stored AS (
    UPDATE entries_entry e
    SET title = coalesce(f.title, e.title), payload = coalesce(f.payload, e.payload),
        upstream = CASE WHEN f.payload IS NULL THEN e.upstream ELSE f.upstream END,
        content_hash = CASE f.change WHEN 'gone' THEN e.content_hash ELSE f.hash_after END,
        gone_at = CASE f.change WHEN 'gone' THEN coalesce(e.gone_at, now()) END,
        updated_at = now()
    FROM picked p JOIN found f ON f.entry_id = p.id
    WHERE e.id = p.id
    RETURNING e.id, e.attempt
), noted AS (
    UPDATE entries_attempt a
    SET change = f.change, hash_after = f.hash_after,
        -- It was fetched before, by a worker that died over it.
        hash_before = CASE WHEN a.change = 'changed' AND f.change = 'changed' THEN a.hash_before
                           ELSE f.hash_before END
    FROM stored s JOIN found f ON f.entry_id = s.id
    WHERE a.entry_id = s.id AND a.number = s.attempt
)
SELECT id FROM stored
"""


def refresh(found: Sequence[FreshContent], *, run_id: UUID) -> set[int]:
    """Store what the source has of entries that ``run_id`` holds, and note on their attempts what
    was found; returns whose were written. Their status stays ``running``.
    """
    params: dict[str, Any] = {
        "run_id": run_id,
        "ids": array(fresh.entry_id for fresh in found),
        "found": json.dumps([asdict(fresh) for fresh in found]),
    }
    with connection.cursor() as cursor:
        cursor.execute(_REFRESH, params)
        return {row[0] for row in cursor.fetchall()}


_REVERT = """
WITH ended AS MATERIALIZED (
    SELECT t.id, t.status, coalesce(t.error_class, '') AS error_class,
           coalesce(t.message, '') AS message, coalesce(t.traceback, '') AS traceback,
           coalesce(t.fingerprint, '') AS fingerprint
    FROM json_to_recordset(%(ended)s::json) AS t (
        id bigint, status text, error_class text, message text, traceback text, fingerprint text)
), picked AS MATERIALIZED (
    SELECT e.id, e.attempt, a.previous_status
    FROM entries_entry e JOIN entries_attempt a ON a.entry_id = e.id AND a.number = e.attempt
    WHERE e.id = ANY(%(ids)s::bigint[]) AND e.run_id = %(run_id)s AND e.status = 'running'
    ORDER BY e.id FOR UPDATE OF e
), moved AS (
    UPDATE entries_entry e
    SET status = p.previous_status, status_changed_at = now(), updated_at = now(),
        next_attempt_at = CASE p.previous_status
            WHEN 'scheduled' THEN coalesce(e.next_attempt_at, now()) END
    FROM picked p WHERE e.id = p.id RETURNING e.id, e.attempt
), noted AS (
    UPDATE entries_attempt a
    SET status = o.status, ended_at = clock_timestamp(), error_class = o.error_class,
        error_message = o.message, traceback = o.traceback, fingerprint = o.fingerprint
    FROM moved m JOIN ended o ON o.id = m.id
    WHERE a.entry_id = m.id AND a.number = m.attempt
)
SELECT id FROM moved
"""


def revert(reverting: Sequence[Reversal], *, run_id: UUID) -> set[int]:
    """Give entries that ``run_id`` holds back to what they were before it queued them; the attempt
    says why. Returns whose were written.
    """
    params: dict[str, Any] = {
        "run_id": run_id,
        "ids": array(item.entry_id for item in reverting),
        "ended": json.dumps([_told(item) for item in reverting]),
    }
    with connection.cursor() as cursor:
        cursor.execute(_REVERT, params)
        return {row[0] for row in cursor.fetchall()}


def _told(item: Reversal) -> dict[str, Any]:
    error = asdict(item.error) if item.error is not None else {}
    return {"id": item.entry_id, "status": item.status.value, **error}
