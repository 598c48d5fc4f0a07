"""The only writer of ``Entry.status``.

Every function is one conditional, set-based statement, and what it returns is the truth about what
was changed. Rows are locked in id order, so that concurrent bulk writers queue up instead of
deadlocking. Nothing here opens a transaction: callers choose what commits together.

The statements lock first and test afterwards (``picked``): a loser who waited for the lock sees
the status that beat it, not the one its snapshot had.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django.db import connection

from entries.content import content_hash
from entries.states import EntryStatus, sources_of
from entries.text import ErrorInfo


@dataclass(frozen=True, slots=True)
class Seen:
    """One entry as a ``queue`` statement found it; ``run_id`` is set where it was moved."""

    id: int
    kind: str
    #: Before the statement.
    status: EntryStatus
    #: After the statement.
    attempt: int
    run_id: UUID | None


@dataclass(frozen=True, slots=True)
class Claimed:
    """One entry that now belongs to the caller's run, with what processing it needs."""

    id: int
    kind: str
    source: str | None
    external_id: str
    title: str
    payload: dict[str, Any]
    attempt: int
    automatic_attempts: int


@dataclass(frozen=True, slots=True)
class Ending:
    """How one attempt ended. ``delay``: seconds until a ``scheduled`` one is retried."""

    entry_id: int
    status: EntryStatus
    result: Mapping[str, Any] | None = None
    error: ErrorInfo | None = None
    delay: float | None = None


@dataclass(frozen=True, slots=True)
class Rescued:
    """One entry taken from a dead worker: queued in ``run_id``, or failed where it is None."""

    id: int
    kind: str
    attempt: int
    run_id: UUID | None


@dataclass(frozen=True, slots=True)
class UpsertResult:
    created: list[int]
    updated: list[int]
    unchanged: int


_QUEUE = """
WITH picked AS MATERIALIZED (
    SELECT id, kind, status, attempt FROM entries_entry
    WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE
), eligible AS (
    SELECT p.id, p.kind, p.status,
           (row_number() OVER (PARTITION BY p.kind ORDER BY p.id) - 1)
               / coalesce(s.size, 1) AS chunk
    FROM picked p
    LEFT JOIN unnest(%(kinds)s::text[], %(sizes)s::int[]) AS s (kind, size) ON s.kind = p.kind
    WHERE p.status = ANY(%(sources)s)
), runs AS MATERIALIZED (
    SELECT kind, chunk, gen_random_uuid() AS run_id FROM eligible GROUP BY kind, chunk
), moved AS (
    UPDATE entries_entry e
    SET status = 'queued', attempt = e.attempt + 1, run_id = r.run_id, next_attempt_at = NULL,
        automatic_attempts = CASE WHEN %(fresh)s THEN 0 ELSE e.automatic_attempts END,
        status_changed_at = now(), updated_at = now()
    FROM eligible g JOIN runs r ON r.kind = g.kind AND r.chunk = g.chunk
    WHERE e.id = g.id
    RETURNING e.id, e.attempt, e.run_id, g.status
), noted AS (
    INSERT INTO entries_attempt (entry_id, number, run_id, status, previous_status, queued_at,
                                 worker, error_class, error_message, traceback, fingerprint)
    SELECT id, attempt, run_id, 'queued', status, now(), '', '', '', '', '' FROM moved ORDER BY id
)
SELECT p.id, p.kind, p.status, coalesce(m.attempt, p.attempt), m.run_id
FROM picked p LEFT JOIN moved m ON m.id = p.id ORDER BY p.id
"""


def queue(
    ids: Iterable[int], *, verb: str, run_sizes: Mapping[str, int], fresh: bool = True
) -> list[Seen]:
    """Move what ``verb`` allows to ``queued``, each under the id of the run it now belongs to.

    Entries are gathered into runs by kind, in id order, at most ``run_sizes[kind]`` in each.
    ``fresh`` starts a new cycle of automatic retries. Unknown ids are missing from the answer.
    """
    params: dict[str, Any] = {
        "ids": list(ids),
        "kinds": list(run_sizes),
        "sizes": list(run_sizes.values()),
        "sources": sorted(sources_of(verb)),
        "fresh": fresh,
    }
    with connection.cursor() as cursor:
        cursor.execute(_QUEUE, params)
        return [
            Seen(id_, kind, EntryStatus(status), attempt, run_id)
            for id_, kind, status, attempt, run_id in cursor.fetchall()
        ]


_CLAIM = """
WITH picked AS MATERIALIZED (
    SELECT id FROM entries_entry
    WHERE id = ANY(%(ids)s) AND run_id = %(run_id)s AND status = 'queued' ORDER BY id FOR UPDATE
), moved AS (
    UPDATE entries_entry e
    SET status = 'running', status_changed_at = now(), updated_at = now()
    FROM picked p WHERE e.id = p.id
    RETURNING e.id, e.kind, e.source_id, e.external_id, e.title, e.payload, e.attempt,
              e.automatic_attempts
), noted AS (
    UPDATE entries_attempt a SET status = 'running', started_at = clock_timestamp(),
                                 worker = %(worker)s
    FROM moved m WHERE a.entry_id = m.id AND a.number = m.attempt
)
SELECT m.id, m.kind, s.slug, m.external_id, m.title, m.payload::text, m.attempt,
       m.automatic_attempts
FROM moved m LEFT JOIN entries_source s ON s.id = m.source_id ORDER BY m.id
"""


def claim(ids: Iterable[int], *, run_id: UUID, worker: str) -> list[Claimed]:
    """``queued -> running`` for those of ``ids`` that still belong to the run."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"ids": list(ids), "run_id": run_id, "worker": worker[:200]})
        return [
            Claimed(id_, kind, source, external_id, title, json.loads(payload), attempt, automatic)
            for id_, kind, source, external_id, title, payload, attempt, automatic in cursor
        ]


_FINISH = """
WITH ended AS MATERIALIZED (
    SELECT * FROM unnest(
        %(ids)s::bigint[], %(statuses)s::text[], %(results)s::text[], %(classes)s::text[],
        %(messages)s::text[], %(tracebacks)s::text[], %(fingerprints)s::text[], %(delays)s::float8[]
    ) AS t (id, status, result, error_class, message, traceback, fingerprint, delay)
), picked AS MATERIALIZED (
    SELECT e.id FROM entries_entry e
    WHERE e.id = ANY(%(ids)s) AND e.run_id = %(run_id)s AND e.status = 'running'
    ORDER BY e.id FOR UPDATE
), moved AS (
    UPDATE entries_entry e
    SET status = o.status,
        result = CASE WHEN o.status = 'succeeded' THEN o.result::jsonb ELSE e.result END,
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
        ended_at = clock_timestamp(), result = o.result::jsonb, error_class = o.error_class,
        error_message = o.message, traceback = o.traceback, fingerprint = o.fingerprint
    FROM moved m JOIN ended o ON o.id = m.id
    WHERE a.entry_id = m.id AND a.number = m.attempt
)
SELECT id FROM moved ORDER BY id
"""


def finish(endings: Sequence[Ending], *, run_id: UUID) -> set[int]:
    """Write the outcomes of entries that ``run_id`` still holds; returns whose were written.

    Whoever is missing was taken away in the meantime: its lease lapsed and it was rescued.
    """
    errors = [ending.error for ending in endings]
    params: dict[str, Any] = {
        "run_id": run_id,
        "ids": [ending.entry_id for ending in endings],
        "statuses": [ending.status.value for ending in endings],
        "results": [None if e.result is None else json.dumps(e.result) for e in endings],
        "classes": [error.error_class if error else "" for error in errors],
        "messages": [error.message if error else "" for error in errors],
        "tracebacks": [error.traceback if error else "" for error in errors],
        "fingerprints": [error.fingerprint if error else "" for error in errors],
        "delays": [ending.delay for ending in endings],
    }
    with connection.cursor() as cursor:
        cursor.execute(_FINISH, params)
        return {row[0] for row in cursor.fetchall()}


_REASSIGN = """
WITH picked AS MATERIALIZED (
    SELECT id FROM entries_entry
    WHERE id = ANY(%(ids)s) AND run_id = %(run_id)s AND status = 'queued' ORDER BY id FOR UPDATE
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
    params: dict[str, Any] = {"ids": list(ids), "run_id": run_id, "new_run_id": new_run_id}
    with connection.cursor() as cursor:
        cursor.execute(_REASSIGN, params)
        return dict(cursor.fetchall())


_RESCUE = """
WITH picked AS MATERIALIZED (
    SELECT id FROM entries_entry
    WHERE id = ANY(%(ids)s) AND run_id = %(run_id)s AND status = 'running' ORDER BY id FOR UPDATE
), judged AS MATERIALIZED (
    SELECT e.id, e.attempt, a.previous_status,
           (SELECT count(*) FROM entries_attempt l
            WHERE l.entry_id = e.id AND l.status = 'lost' AND l.number > coalesce(
                (SELECT max(b.number) FROM entries_attempt b
                 WHERE b.entry_id = e.id AND b.number < e.attempt AND b.status <> 'lost'), 0)
           ) < coalesce(k.rescue_limit, 0) AS again
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
              j.previous_status
), buried AS (
    UPDATE entries_attempt a
    SET status = CASE WHEN m.again THEN 'lost' ELSE 'failed' END, ended_at = clock_timestamp(),
        error_class = %(error_class)s, error_message = %(message)s, fingerprint = %(fingerprint)s
    FROM moved m WHERE a.entry_id = m.id AND a.number = m.lost_attempt
), noted AS (
    INSERT INTO entries_attempt (entry_id, number, run_id, status, previous_status, queued_at,
                                 worker, error_class, error_message, traceback, fingerprint)
    SELECT id, attempt, run_id, 'queued', previous_status, now(), '', '', '', '', ''
    FROM moved WHERE again ORDER BY id
)
SELECT id, kind, attempt, CASE WHEN again THEN run_id END FROM moved ORDER BY id
"""


def rescue(
    ids: Iterable[int], *, run_id: UUID, rescue_limits: Mapping[str, int], error: ErrorInfo
) -> list[Rescued]:
    """Take entries away from a run whose worker died while running them.

    Each is queued alone under a run id of its own, so that the one that kills workers is caught by
    itself; after ``rescue_limits[kind]`` losses in a row it fails with ``error``.
    """
    params: dict[str, Any] = {
        "ids": list(ids),
        "run_id": run_id,
        "kinds": list(rescue_limits),
        "limits": list(rescue_limits.values()),
        "error_class": error.error_class,
        "message": error.message,
        "fingerprint": error.fingerprint,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RESCUE, params)
        return [Rescued(*row) for row in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class Left:
    """Entries that a set-based move left alone: what they were, None where they are not there."""

    run_id: UUID
    status: EntryStatus | None
    ids: list[int]


#: ``wanted`` is what was asked for, ``picked`` what is there; ``moved`` is up to the verb.
_MOVE = """
WITH wanted AS MATERIALIZED (
    SELECT * FROM unnest(%(ids)s::bigint[], %(run_ids)s::uuid[]) AS t (id, run_id)
), picked AS MATERIALIZED (
    SELECT id, status FROM entries_entry WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE
), {moves}
SELECT w.run_id, p.status, array_agg(w.id ORDER BY w.id)
FROM wanted w LEFT JOIN picked p ON p.id = w.id LEFT JOIN moved m ON m.id = w.id
WHERE m.id IS NULL GROUP BY w.run_id, p.status
"""

_MOVES = {
    "retry": """moved AS (
        UPDATE entries_entry e
        SET status = 'queued', attempt = e.attempt + 1, run_id = w.run_id, next_attempt_at = NULL,
            automatic_attempts = 0, status_changed_at = now(), updated_at = now()
        FROM picked p JOIN wanted w ON w.id = p.id
        WHERE e.id = p.id AND p.status = ANY(%(sources)s)
        RETURNING e.id, e.attempt, e.run_id, p.status
    ), noted AS (
        INSERT INTO entries_attempt (entry_id, number, run_id, status, previous_status, queued_at,
                                     worker, error_class, error_message, traceback, fingerprint)
        SELECT id, attempt, run_id, 'queued', status, now(), '', '', '', '', '' FROM moved
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


def move(wanted: Sequence[tuple[int, UUID]], *, verb: str) -> list[Left]:
    """Do ``verb`` (retry, discard or restore) to many entries, each in the name of a given run.

    Returns only what was left alone, so that a million moves do not travel back.
    """
    params: dict[str, Any] = {
        "ids": [entry_id for entry_id, _ in wanted],
        "run_ids": [run_id for _, run_id in wanted],
        "sources": sorted(sources_of(verb)),
    }
    with connection.cursor() as cursor:
        cursor.execute(_MOVE.format(moves=_MOVES[verb]), params)
        return [
            Left(run_id, EntryStatus(status) if status else None, ids)
            for run_id, status, ids in cursor.fetchall()
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
        next_attempt_at = CASE p.previous_status WHEN 'scheduled' THEN now() END
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


_UPSERT = """
INSERT INTO entries_entry (source_id, kind, external_id, title, payload, content_hash, status,
                           attempt, automatic_attempts, error_class, error_message, fingerprint)
SELECT %(source_id)s, %(kind)s, t.external_id, t.title, t.payload::jsonb, t.content_hash,
       'pending', 0, 0, '', '', ''
FROM unnest(%(external_ids)s::text[], %(titles)s::text[], %(payloads)s::text[], %(hashes)s::text[])
    AS t (external_id, title, payload, content_hash)
ORDER BY t.external_id
ON CONFLICT (source_id, external_id) DO UPDATE
SET title = excluded.title, payload = excluded.payload, content_hash = excluded.content_hash,
    updated_at = now()
WHERE entries_entry.content_hash <> excluded.content_hash
RETURNING id, xmax = 0
"""


class NewEntry(Protocol):
    """``external_id`` is 1 to 500 characters, ``title`` at most 500, ``payload`` a JSON object."""

    @property
    def external_id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def payload(self) -> Mapping[str, Any]: ...


def upsert_entries(*, source_id: int | None, kind: str, items: Iterable[NewEntry]) -> UpsertResult:
    """Create entries as ``pending``, or store what changed of those that are known by their id.

    The status of a known entry is left alone. Of items with the same id the first one counts.
    """
    first: dict[str, NewEntry] = {}
    for item in items:
        first.setdefault(item.external_id, item)
    unique = list(first.values())
    params: dict[str, Any] = {
        "source_id": source_id,
        "kind": kind,
        "external_ids": [item.external_id for item in unique],
        "titles": [item.title for item in unique],
        "payloads": [json.dumps(item.payload) for item in unique],
        "hashes": [content_hash(item.title, item.payload) for item in unique],
    }
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, params)
        rows = cursor.fetchall()
    created = sorted(id_ for id_, fresh in rows if fresh)
    updated = sorted(id_ for id_, fresh in rows if not fresh)
    return UpsertResult(created, updated, len(unique) - len(rows))
