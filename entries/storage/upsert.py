"""Creating entries, and storing what changed of those that are known."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from django.db import connection

from entries.content import content_hash
from entries.storage.upstreams import upstreams


class NewEntry(Protocol):
    """``external_id`` is 1 to 500 characters, ``title`` at most 500, ``payload`` a JSON object."""

    @property
    def external_id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def payload(self) -> Mapping[str, Any]: ...


N = TypeVar("N", bound=NewEntry)


@dataclass(frozen=True, slots=True)
class Difference(Generic[N]):
    """``id``: of the entry as it is stored; None where there is none."""

    item: N
    hash: str
    id: int | None
    gone: bool


@dataclass(frozen=True, slots=True)
class Comparison(Generic[N]):
    """``new`` are not stored, ``changed`` are stored otherwise or count as gone."""

    new: list[Difference[N]]
    changed: list[Difference[N]]
    unchanged: int


@dataclass(frozen=True, slots=True)
class UpsertResult:
    created: list[int]
    updated: list[int]
    unchanged: int


# A row at a time through the unique index, whatever the planner believes of a table that is being
# filled right now: one guess at a sequential scan makes a large import quadratic.
_COMPARE = """
SELECT t.external_id, e.id, e.content_hash = t.content_hash, e.gone_at IS NOT NULL
FROM unnest(%(external_ids)s::text[], %(hashes)s::text[]) AS t (external_id, content_hash)
CROSS JOIN LATERAL (
    SELECT id, content_hash, gone_at FROM entries_entry
    WHERE {source} AND external_id = t.external_id LIMIT 1
) e
"""

# In the order of ids, as everybody locks; the new ones in an order that two syncs share.
_UPSERT = """
INSERT INTO entries_entry (source_id, kind, external_id, title, payload, content_hash, upstream,
                           status, attempt, automatic_attempts, error_class, error_message,
                           fingerprint)
SELECT %(source_id)s, %(kind)s, t.external_id, t.title, t.payload::jsonb, t.content_hash,
       t.upstream, 'pending', 0, 0, '', '', ''
FROM unnest(%(external_ids)s::text[], %(titles)s::text[], %(payloads)s::text[], %(hashes)s::text[],
            %(upstreams)s::text[], %(ids)s::bigint[])
    AS t (external_id, title, payload, content_hash, upstream, id)
ORDER BY t.id NULLS LAST, t.external_id
ON CONFLICT (source_id, external_id) DO UPDATE
SET title = excluded.title, payload = excluded.payload, content_hash = excluded.content_hash,
    upstream = CASE entries_entry.kind WHEN excluded.kind THEN excluded.upstream
                    ELSE entries_entry.upstream END,
    gone_at = NULL, updated_at = now()
WHERE entries_entry.content_hash <> excluded.content_hash OR entries_entry.gone_at IS NOT NULL
RETURNING id, xmax = 0
"""


def compare_entries(*, source_id: int | None, items: Iterable[N]) -> Comparison[N]:
    """What ``upsert_entries`` would do, as things stand; nothing is locked or written.

    Of items with the same id the first one counts.
    """
    first: dict[str, N] = {}
    for item in items:
        first.setdefault(item.external_id, item)
    hashes = {id_: content_hash(item.title, item.payload) for id_, item in first.items()}
    known = _known(source_id, hashes)
    new: list[Difference[N]] = []
    changed: list[Difference[N]] = []
    for external_id, item in first.items():
        id_, same, gone = known.get(external_id, (None, False, False))
        if same and not gone:
            continue
        found = Difference(item, hashes[external_id], id_, gone)
        (new if id_ is None else changed).append(found)
    return Comparison(new, changed, len(first) - len(new) - len(changed))


def upsert_entries(*, source_id: int | None, kind: str, items: Iterable[NewEntry]) -> UpsertResult:
    """Create entries as ``pending``, or store what changed of those that are known by their id.

    The status of a known entry is left alone; one that counted as gone is there again, which is an
    update. What is as before is neither written nor locked. Of items with the same id the first
    one counts.
    """
    compared = compare_entries(source_id=source_id, items=items)
    differing = [*compared.new, *compared.changed]
    rows = _store(source_id, kind, differing) if differing else []
    created = sorted(id_ for id_, fresh in rows if fresh)
    updated = sorted(id_ for id_, fresh in rows if not fresh)
    # Somebody else may have stored the same in between.
    return UpsertResult(created, updated, compared.unchanged + len(differing) - len(rows))


def _known(source_id: int | None, hashes: Mapping[str, str]) -> dict[str, tuple[int, bool, bool]]:
    """By external id: the entry's id, whether its content is the same, whether it is gone."""
    # "IS NOT DISTINCT FROM" would do for both, and cannot use the index.
    source = "source_id IS NULL" if source_id is None else "source_id = %(source_id)s"
    params = {
        "source_id": source_id,
        "external_ids": list(hashes),
        "hashes": list(hashes.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_COMPARE.format(source=source), params)
        return {row[0]: (row[1], row[2], row[3]) for row in cursor.fetchall()}


def _store(
    source_id: int | None, kind: str, differing: Sequence[Difference[Any]]
) -> list[tuple[int, bool]]:
    params: dict[str, Any] = {
        "source_id": source_id,
        "kind": kind,
        "external_ids": [d.item.external_id for d in differing],
        "titles": [d.item.title for d in differing],
        "payloads": [json.dumps(d.item.payload) for d in differing],
        "hashes": [d.hash for d in differing],
        "upstreams": upstreams(source_id, kind, [d.item for d in differing]),
        "ids": [d.id for d in differing],
    }
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, params)
        return [(id_, fresh) for id_, fresh in cursor.fetchall()]
