"""What a worker does to entries it holds: claim, finish, hand on. All fenced by the run id."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from entries.sql import array
from entries.states import EntryStatus
from entries.text import ErrorInfo


@dataclass(frozen=True, slots=True)
class ClaimedEntry:
    """One entry that now belongs to the caller's run, with what processing it needs."""

    id: int
    kind: str
    source: str | None
    external_id: str
    title: str
    payload: dict[str, Any]
    attempt: int
    automatic_attempts: int
    is_rescan: bool
    change: str
    upstream: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt ended. ``delay``: seconds until a ``scheduled`` one is retried."""

    entry_id: int
    status: EntryStatus
    result: Mapping[str, Any] | None = None
    error: ErrorInfo | None = None
    delay: float | None = None
    #: It failed by a passing fault.
    transient: bool = False
    #: What its entry depends on outside.
    upstream: str = ""


_CLAIM = """
WITH picked AS MATERIALIZED (
    SELECT id FROM entries_entry
    WHERE id = ANY(%(ids)s::bigint[]) AND run_id = %(run_id)s
      AND (status = 'queued' AND upstream <> ALL(%(held)s::text[])
        -- Claimed before by a statement whose answer was lost.
        OR status = 'running' AND %(worker)s = (
            SELECT a.worker FROM entries_attempt a
            WHERE a.entry_id = entries_entry.id AND a.number = entries_entry.attempt))
    ORDER BY id FOR UPDATE
), moved AS (
    UPDATE entries_entry e
    SET status = 'running', status_changed_at = now(), updated_at = now()
    FROM picked p WHERE e.id = p.id
    RETURNING e.id, e.kind, e.source_id, e.external_id, e.title, e.payload, e.attempt,
              e.automatic_attempts, e.upstream
), noted AS (
    UPDATE entries_attempt a SET status = 'running', worker = %(worker)s,
                                 started_at = coalesce(a.started_at, clock_timestamp())
    FROM moved m WHERE a.entry_id = m.id AND a.number = m.attempt
    RETURNING a.entry_id, a.is_rescan, a.change
)
SELECT m.id, m.kind, s.slug, m.external_id, m.title, m.payload::text, m.attempt,
       m.automatic_attempts, coalesce(n.is_rescan, false), coalesce(n.change, ''), m.upstream
FROM moved m LEFT JOIN noted n ON n.entry_id = m.id
LEFT JOIN entries_source s ON s.id = m.source_id ORDER BY m.id
"""


def claim(
    ids: Iterable[int], *, run_id: UUID, worker: str, held: Sequence[str] = ()
) -> list[ClaimedEntry]:
    """``queued -> running`` for those of ``ids`` that still belong to the run; what depends on an
    upstream that is ``held`` is left queued.

    May be repeated: what the same ``worker`` has claimed and not finished is returned again.
    """
    params: dict[str, Any] = {
        "ids": array(ids),
        "run_id": run_id,
        "worker": worker[:200],
        "held": list(held),
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, params)
        return [
            ClaimedEntry(id_, kind, source, external_id, title, json.loads(payload), *rest)
            for id_, kind, source, external_id, title, payload, *rest in cursor
        ]


_BEGIN = """
UPDATE entries_attempt a SET began = true
FROM entries_entry e
WHERE e.id = ANY(%(ids)s::bigint[]) AND e.run_id = %(run_id)s AND e.status = 'running'
  AND a.entry_id = e.id AND a.number = e.attempt
"""


def begin(ids: Iterable[int], *, run_id: UUID) -> None:
    """Note of entries that ``run_id`` holds that their processing begins now.

    An attempt that is lost after this counts against its kind's ``rescue_limit``.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, {"ids": array(ids), "run_id": run_id})


_FINISH = """
WITH ended AS MATERIALIZED (
    SELECT t.id, t.status, t.result, coalesce(t.error_class, '') AS error_class,
           coalesce(t.message, '') AS message, coalesce(t.traceback, '') AS traceback,
           coalesce(t.fingerprint, '') AS fingerprint, t.delay,
           coalesce(t.transient, false) AS transient
    FROM json_to_recordset(%(endings)s::json) AS t (
        id bigint, status text, result jsonb, error_class text, message text, traceback text,
        fingerprint text, delay float8, transient boolean)
), picked AS MATERIALIZED (
    SELECT e.id FROM entries_entry e
    WHERE e.id = ANY(%(ids)s::bigint[]) AND e.run_id = %(run_id)s AND e.status = 'running'
    ORDER BY e.id FOR UPDATE
), moved AS (
    UPDATE entries_entry e
    SET status = o.status,
        result = CASE WHEN o.status = 'succeeded' THEN o.result ELSE e.result END,
        error_class = o.error_class, error_message = o.message, fingerprint = o.fingerprint,
        failed_at = CASE o.status WHEN 'failed' THEN now() WHEN 'scheduled' THEN e.failed_at END,
        next_attempt_at = now() + make_interval(secs => o.delay),
        automatic_attempts = e.automatic_attempts + (o.status = 'scheduled')::int,
        status_changed_at = now(), updated_at = now()
    FROM picked p JOIN ended o ON o.id = p.id
    WHERE e.id = p.id
    RETURNING e.id, e.attempt
), noted AS (
    UPDATE entries_attempt a
    SET status = CASE o.status WHEN 'scheduled' THEN 'failed' ELSE o.status END,
        ended_at = clock_timestamp(), result = o.result, error_class = o.error_class,
        error_message = o.message, traceback = o.traceback, fingerprint = o.fingerprint,
        transient = o.transient
    FROM moved m JOIN ended o ON o.id = m.id
    WHERE a.entry_id = m.id AND a.number = m.attempt
)
SELECT id FROM moved ORDER BY id
"""


def finish(endings: Sequence[Outcome], *, run_id: UUID) -> set[int]:
    """Write the outcomes of entries that ``run_id`` still holds; returns whose were written.

    Whoever is missing was taken away in the meantime: its lease lapsed and it was rescued.
    """
    params: dict[str, Any] = {
        "run_id": run_id,
        "ids": array(ending.entry_id for ending in endings),
        "endings": json.dumps([_told(ending) for ending in endings]),
    }
    with connection.cursor() as cursor:
        cursor.execute(_FINISH, params)
        return {row[0] for row in cursor.fetchall()}


def find_finished(ids: Iterable[int], *, run_id: UUID) -> set[int]:
    """Those of ``ids`` whose work in the name of ``run_id`` has ended: where ``finish`` was called
    and its answer was lost.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM entries_entry WHERE id = ANY(%s::bigint[]) AND run_id = %s"
            " AND status NOT IN ('queued', 'running')",
            [array(ids), run_id],
        )
        return {row[0] for row in cursor.fetchall()}


def _told(ending: Outcome) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": ending.entry_id,
        "status": ending.status.value,
        "result": ending.result,
    }
    if ending.error is not None:
        told |= {
            "error_class": ending.error.error_class,
            "message": ending.error.message,
            "traceback": ending.error.traceback,
            "fingerprint": ending.error.fingerprint,
            "delay": ending.delay,
            "transient": ending.transient,
        }
    return told


_REASSIGN = """
WITH picked AS MATERIALIZED (
    SELECT id FROM entries_entry
    WHERE id = ANY(%(ids)s::bigint[]) AND run_id = %(run_id)s AND status = 'queued'
    ORDER BY id FOR UPDATE
), moved AS (
    UPDATE entries_entry e SET run_id = %(new_run_id)s, updated_at = now()
    FROM picked p WHERE e.id = p.id RETURNING e.id, e.attempt
), noted AS (
    UPDATE entries_attempt a SET run_id = %(new_run_id)s
    FROM moved m WHERE a.entry_id = m.id AND a.number = m.attempt
)
SELECT id, attempt FROM moved ORDER BY id
"""


def reassign(ids: Iterable[int], *, run_id: UUID, new_run_id: UUID) -> dict[int, int]:
    """Hand entries that nobody has begun from one run to another: same attempt, new fence.

    Returns entry id -> attempt for those that were moved.
    """
    params: dict[str, Any] = {"ids": array(ids), "run_id": run_id, "new_run_id": new_run_id}
    with connection.cursor() as cursor:
        cursor.execute(_REASSIGN, params)
        return dict(cursor.fetchall())
