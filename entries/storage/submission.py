"""Storing what is pushed, whether it is known or new, and reporting on each item."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from entries.content import content_hash
from entries.states import STORED_INTO, EntryStatus
from entries.storage.upsert import NewEntry
from entries.storage.upstreams import upstreams


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """One pushed item as the statement found it, and the entry that stands for it."""

    id: int
    external_id: str
    #: Before the statement; None where it created the entry.
    status: EntryStatus | None
    attempt: int
    #: It was known with another content. Stored where ``STORED_INTO`` and ``same_kind`` allow it.
    changed: bool
    same_kind: bool


# A row at a time through the unique index, as in ``storing``; "IS NOT DISTINCT FROM" cannot use it.
_SOURCE = "source_id = %(source_id)s::bigint"
_NO_SOURCE = "source_id IS NULL"

# What is known is compared by what it holds: a hash may be that of another time. Rows that are
# there are locked in id order, as everybody locks them; only then are new ones inserted, in the
# order of their external ids. Nobody who inserts waits for somebody who still locks, so there is
# no circle.
_STORE = """
WITH given AS MATERIALIZED (
    SELECT * FROM unnest(%(external_ids)s::text[], %(titles)s::text[], %(payloads)s::text[],
                         %(hashes)s::text[], %(upstreams)s::text[])
        AS t (external_id, title, payload, content_hash, upstream)
), picked AS MATERIALIZED (
    SELECT id, external_id, kind, status, attempt, title, payload, content_hash, gone_at
    FROM entries_entry WHERE id = ANY(ARRAY(
        SELECT e.id FROM unnest(%(external_ids)s::text[]) AS t (external_id)
        CROSS JOIN LATERAL (
            SELECT id FROM entries_entry WHERE {source} AND external_id = t.external_id LIMIT 1
        ) e
    ))
    ORDER BY id FOR UPDATE
), refreshed AS (
    UPDATE entries_entry e
    SET title = g.title, payload = g.payload::jsonb, content_hash = g.content_hash,
        upstream = g.upstream, gone_at = NULL, updated_at = now()
    FROM picked p JOIN given g ON g.external_id = p.external_id
    WHERE e.id = p.id AND p.kind = %(kind)s AND p.status = ANY(%(stored_into)s)
      AND (p.title <> g.title OR p.payload <> g.payload::jsonb
           OR p.content_hash <> g.content_hash OR p.gone_at IS NOT NULL)
), created AS (
    INSERT INTO entries_entry (source_id, kind, external_id, title, payload, content_hash,
                               upstream, status, attempt, automatic_attempts, error_class,
                               error_message, fingerprint)
    SELECT %(source_id)s::bigint, %(kind)s, g.external_id, g.title, g.payload::jsonb,
           g.content_hash, g.upstream, 'pending', 0, 0, '', '', ''
    FROM given g WHERE g.external_id NOT IN (SELECT external_id FROM picked)
    ORDER BY g.external_id
    ON CONFLICT (source_id, external_id) DO NOTHING
    RETURNING id, external_id
)
SELECT coalesce(p.id, c.id), g.external_id, p.status, coalesce(p.attempt, 0),
       coalesce(p.title <> g.title OR p.payload <> g.payload::jsonb, false),
       coalesce(p.kind = %(kind)s, true)
FROM given g
LEFT JOIN picked p ON p.external_id = g.external_id
LEFT JOIN created c ON c.external_id = g.external_id
"""


@dataclass(frozen=True, slots=True)
class Content:
    """What one known entry holds, and what decides whether something else is stored."""

    title: str
    payload: Any
    kind: str
    status: EntryStatus


_FIND = """
SELECT external_id, title, payload, kind, status FROM entries_entry WHERE id = ANY(ARRAY(
    SELECT e.id FROM unnest(%(external_ids)s::text[]) AS t (external_id)
    CROSS JOIN LATERAL (
        SELECT id FROM entries_entry WHERE {source} AND external_id = t.external_id LIMIT 1
    ) e
))
ORDER BY id
"""
_LOCK = f"{_FIND} FOR UPDATE"


class _Overtaken(Exception):
    """Somebody else created one of the entries after the statement had looked for it."""


def store(*, source_id: int | None, kind: str, items: Sequence[NewEntry]) -> list[StoredEntry]:
    """Create entries as ``pending`` or refresh known ones; one ``StoredEntry`` for each item.

    The ids of ``items`` must differ. Entries that run, are discarded or have another kind are left
    as they are. All are locked until the caller's transaction ends, in which this must be called.
    """
    params: dict[str, Any] = {
        "source_id": source_id,
        "kind": kind,
        "external_ids": [item.external_id for item in items],
        "titles": [item.title for item in items],
        "payloads": [json.dumps(item.payload) for item in items],
        "hashes": [content_hash(item.title, item.payload) for item in items],
        "upstreams": upstreams(source_id, kind, items),
        "stored_into": sorted(STORED_INTO),
    }
    while True:
        # Going back to the savepoint gives the locks up, so that the next try locks in order again.
        # Entries are never deleted, so what overtook this one is there to be found then.
        try:
            with transaction.atomic():
                return _stored(params)
        except _Overtaken:
            continue


def store_merged(
    *,
    source_id: int | None,
    kind: str,
    external_ids: Sequence[str],
    merge: Callable[[Mapping[str, Content]], Sequence[NewEntry]],
) -> list[StoredEntry]:
    """``store`` what ``merge`` makes of what is known, by external id; all different.

    ``merge`` sees what is stored until the caller's transaction ends, in which this must be called:
    what is known is locked before. It may be asked again, where somebody else created one of the
    entries in between, and may leave some of them out.
    """
    while True:
        try:
            with transaction.atomic():
                known = _found(_LOCK, source_id, external_ids)
                stored = store(source_id=source_id, kind=kind, items=merge(known))
                _check_locked(stored, known)
                return stored
        except _Overtaken:
            continue


def _check_locked(stored: Iterable[StoredEntry], known: Mapping[str, Content]) -> None:
    if any(s.status is not None and s.external_id not in known for s in stored):
        raise _Overtaken


def find_known(*, source_id: int | None, external_ids: Sequence[str]) -> dict[str, Content]:
    """What there is now, by external id; nothing is locked."""
    return _found(_FIND, source_id, external_ids)


def _found(
    statement: str, source_id: int | None, external_ids: Sequence[str]
) -> dict[str, Content]:
    params = {"source_id": source_id, "external_ids": list(external_ids)}
    with connection.cursor() as cursor:
        cursor.execute(statement.format(source=_source(params)), params)
        # Django leaves jsonb to its fields.
        return {
            id_: Content(title, json.loads(payload), kind, EntryStatus(status))
            for id_, title, payload, kind, status in cursor
        }


def _source(params: Mapping[str, Any]) -> str:
    return _NO_SOURCE if params["source_id"] is None else _SOURCE


def _stored(params: dict[str, Any]) -> list[StoredEntry]:
    with connection.cursor() as cursor:
        cursor.execute(_STORE.format(source=_source(params)), params)
        rows = cursor.fetchall()
    if any(row[0] is None for row in rows):
        raise _Overtaken
    return [
        StoredEntry(id_, external_id, EntryStatus(status) if status else None, *rest)
        for id_, external_id, status, *rest in rows
    ]
