"""Taking entries away from a dead worker."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from entries.text import ErrorInfo


@dataclass(frozen=True, slots=True)
class RescuedEntry:
    """One entry taken from a dead worker: queued in ``run_id``, or failed where it is None."""

    id: int
    kind: str
    attempt: int
    run_id: UUID | None


_RESCUE = """
WITH picked AS MATERIALIZED (
    SELECT id FROM entries_entry
    WHERE id = ANY(%(ids)s) AND run_id = %(run_id)s AND status = 'running' ORDER BY id FOR UPDATE
), judged AS MATERIALIZED (
    SELECT e.id, e.attempt, a.previous_status, a.began OR %(began)s AS began,
           (SELECT count(*) FROM entries_attempt l
            WHERE l.entry_id = e.id AND l.status = 'lost' AND l.began AND l.number > coalesce(
                (SELECT max(b.number) FROM entries_attempt b
                 WHERE b.entry_id = e.id AND b.number < e.attempt AND b.status <> 'lost'), 0)
           ) + (a.began OR %(began)s)::int <= coalesce(k.rescue_limit, 0) AS again
    FROM picked p
    JOIN entries_entry e ON e.id = p.id
    JOIN entries_attempt a ON a.entry_id = e.id AND a.number = e.attempt
    LEFT JOIN unnest(%(kinds)s::text[], %(limits)s::int[]) AS k (kind, rescue_limit)
        ON k.kind = e.kind
), moved AS (
    UPDATE entries_entry e
    SET status = CASE WHEN j.again THEN 'queued' ELSE 'failed' END,
        attempt = e.attempt + j.again::int,
        run_id = CASE WHEN j.again THEN gen_random_uuid() ELSE e.run_id END,
        error_class = %(error_class)s, error_message = %(message)s, fingerprint = %(fingerprint)s,
        failed_at = CASE WHEN j.again THEN e.failed_at ELSE now() END,
        status_changed_at = now(), updated_at = now()
    FROM judged j WHERE e.id = j.id
    RETURNING e.id, e.kind, e.attempt, e.run_id, j.again, j.attempt AS lost_attempt,
              j.previous_status, j.began
), buried AS (
    UPDATE entries_attempt a
    SET status = CASE WHEN m.again THEN 'lost' ELSE 'failed' END, ended_at = clock_timestamp(),
        began = m.began,
        error_class = %(error_class)s, error_message = %(message)s, fingerprint = %(fingerprint)s
    FROM moved m WHERE a.entry_id = m.id AND a.number = m.lost_attempt
), noted AS (
    INSERT INTO entries_attempt (entry_id, number, run_id, status, previous_status, queued_at,
                                 worker, error_class, error_message, traceback, fingerprint,
                                 is_rescan, change, hash_before, hash_after)
    SELECT m.id, m.attempt, m.run_id, 'queued', m.previous_status, now(), '', '', '', '', '',
           EXISTS (SELECT FROM entries_attempt b
                   WHERE b.entry_id = m.id AND b.number < m.attempt AND b.started_at IS NOT NULL),
           -- What a resync has stored of it already is to be processed still.
           l.change, l.hash_before, l.hash_after
    FROM moved m JOIN entries_attempt l ON l.entry_id = m.id AND l.number = m.lost_attempt
    WHERE m.again ORDER BY m.id
)
SELECT id, kind, attempt, CASE WHEN again THEN run_id END FROM moved ORDER BY id
"""


def rescue(
    ids: Iterable[int],
    *,
    run_id: UUID,
    rescue_limits: Mapping[str, int],
    error: ErrorInfo,
    began: bool = False,
) -> list[RescuedEntry]:
    """Take entries away from a run whose worker died while running them.

    Each is queued alone under a run id of its own, so that the one that kills workers is caught by
    itself; after ``rescue_limits[kind]`` losses in a row it fails with ``error``. Only attempts
    that began count: those that ``begin`` has marked, and with ``began`` all of ``ids``.
    """
    params: dict[str, Any] = {
        "ids": list(ids),
        "run_id": run_id,
        "kinds": list(rescue_limits),
        "limits": list(rescue_limits.values()),
        "error_class": error.error_class,
        "message": error.message,
        "fingerprint": error.fingerprint,
        "began": began,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RESCUE, params)
        return [RescuedEntry(*row) for row in cursor.fetchall()]


_RELEASE = """
WITH picked AS MATERIALIZED (
    SELECT id FROM entries_entry
    WHERE id = ANY(%(ids)s) AND run_id = %(run_id)s AND status = 'running' ORDER BY id FOR UPDATE
), moved AS (
    UPDATE entries_entry e SET status = 'queued', status_changed_at = now(), updated_at = now()
    FROM picked p WHERE e.id = p.id RETURNING e.id, e.attempt
), noted AS (
    UPDATE entries_attempt a SET status = 'queued', started_at = NULL, worker = ''
    FROM moved m WHERE a.entry_id = m.id AND a.number = m.attempt
)
SELECT id FROM moved ORDER BY id
"""


def release(ids: Iterable[int], *, run_id: UUID) -> list[int]:
    """Put entries that a dead worker had claimed and not begun back into their run's queue.

    It is the same attempt: nothing was lost. Returns whose were put back.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, {"ids": list(ids), "run_id": run_id})
        return [row[0] for row in cursor.fetchall()]
