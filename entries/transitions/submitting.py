"""Storing what is pushed, whether it is known or new, and reporting on each item."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from entries.content import content_hash
from entries.states import STORED_INTO, EntryStatus
from entries.transitions.storing import NewEntry
from entries.transitions.upstreams import upstreams


@dataclass(frozen=True, slots=True)
class Stored:
    """One pushed item as the statement found it, and the entry that stands for it."""

    id: int
    external_id: str
    #: Before the statement; None where it created the entry.
    status: EntryStatus | None
    attempt: int
    #: It was known with another content. Stored where ``STORED_INTO`` and ``same_kind`` allow it.
    changed: bool
    same_kind: bool


# Rows that are there are locked in id order, as everybody locks them; only then are new ones
# inserted, in the order of their external ids. Nobody who inserts waits for somebody who still
# locks, so there is no circle.
_STORE = """
WITH given AS MATERIALIZED (
    SELECT * FROM unnest(%(external_ids)s::text[], %(titles)s::text[], %(payloads)s::text[],
                         %(hashes)s::text[], %(upstreams)s::text[])
        AS t (external_id, title, payload, content_hash, upstream)
), picked AS MATERIALIZED (
    SELECT id, external_id, kind, status, attempt, content_hash, gone_at FROM entries_entry
    WHERE source_id IS NOT DISTINCT FROM %(source_id)s::bigint
      AND external_id = ANY(%(external_ids)s::text[])
    ORDER BY id FOR UPDATE
), refreshed AS (
    UPDATE entries_entry e
    SET title = g.title, payload = g.payload::jsonb, content_hash = g.content_hash,
        upstream = g.upstream, gone_at = NULL, updated_at = now()
    FROM picked p JOIN given g ON g.external_id = p.external_id
    WHERE e.id = p.id AND p.kind = %(kind)s AND p.status = ANY(%(stored_into)s)
      AND (p.content_hash <> g.content_hash OR p.gone_at IS NOT NULL)
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
       coalesce(p.content_hash <> g.content_hash, false), coalesce(p.kind = %(kind)s, true)
FROM given g
LEFT JOIN picked p ON p.external_id = g.external_id
LEFT JOIN created c ON c.external_id = g.external_id
"""


class _Overtaken(Exception):
    """Somebody else created one of the entries after the statement had looked for it."""


def store(*, source_id: int | None, kind: str, items: Sequence[NewEntry]) -> list[Stored]:
    """Create entries as ``pending`` or refresh those that are known; one ``Stored`` for each item.

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


def _stored(params: dict[str, Any]) -> list[Stored]:
    with connection.cursor() as cursor:
        cursor.execute(_STORE, params)
        rows = cursor.fetchall()
    if any(row[0] is None for row in rows):
        raise _Overtaken
    return [
        Stored(id_, external_id, EntryStatus(status) if status else None, *rest)
        for id_, external_id, status, *rest in rows
    ]
