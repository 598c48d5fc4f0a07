"""Creating entries, and storing what changed of those that are known."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from django.db import connection

from entries.content import content_hash


@dataclass(frozen=True, slots=True)
class UpsertResult:
    created: list[int]
    updated: list[int]
    unchanged: int


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
