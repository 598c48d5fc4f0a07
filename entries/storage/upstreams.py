"""Deriving what entries depend on: where they are stored, and of those that are stored already."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from django.db import connection

from entries.kinds import registry
from entries.kinds.upstreams import depends_on_upstreams, derive_upstream, has_upstreams

BATCH = 2_000


class HasPayload(Protocol):
    @property
    def payload(self) -> Mapping[str, Any]: ...


def upstreams(source_id: int | None, kind: str, items: Sequence[HasPayload]) -> list[str]:
    """What each of the items depends on, in their order."""
    if not depends_on_upstreams(kind):
        return [""] * len(items)
    source = _slug(source_id)
    return [derive_upstream(kind, item.payload, source=source) for item in items]


def _slug(source_id: int | None) -> str | None:
    if source_id is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT slug FROM entries_source WHERE id = %s", [source_id])
        row = cursor.fetchone()
    return row[0] if row else None


_READ = """
SELECT e.id, e.kind, s.slug, e.payload::text, e.upstream
FROM entries_entry e LEFT JOIN entries_source s ON s.id = e.source_id
WHERE e.id > %(after)s AND e.kind = ANY(%(kinds)s) ORDER BY e.id LIMIT %(limit)s
"""
# What was stored anew meanwhile has another payload, and its upstream with it.
_WRITE = """
WITH derived AS (
    SELECT * FROM unnest(%(ids)s::bigint[], %(before)s::text[], %(after)s::text[])
        AS t (id, before, after)
), picked AS MATERIALIZED (
    SELECT e.id, d.after FROM entries_entry e JOIN derived d ON d.id = e.id
    WHERE e.upstream = d.before ORDER BY e.id FOR UPDATE OF e
)
UPDATE entries_entry e SET upstream = p.after FROM picked p WHERE e.id = p.id
"""


def derive_upstreams() -> int:
    """Derive what all stored entries depend on, a batch a statement; returns how many changed.

    For entries that were stored before their kind had upstreams. It can be broken off and repeated.
    """
    kinds = [name for name, kind in registry.all_kinds().items() if has_upstreams(kind)]
    return sum(_store(rows) for rows in _batches(kinds))


def _batches(kinds: list[str]) -> Iterator[list[tuple[int, str, str | None, str, str]]]:
    last = 0
    while kinds:
        with connection.cursor() as cursor:
            cursor.execute(_READ, {"after": last, "kinds": kinds, "limit": BATCH})
            rows = cursor.fetchall()
        if not rows:
            return
        yield rows
        last = rows[-1][0]


def _store(rows: list[tuple[int, str, str | None, str, str]]) -> int:
    derived = [
        (id_, before, derive_upstream(kind, json.loads(payload), source=source))
        for id_, kind, source, payload, before in rows
    ]
    changed = [item for item in derived if item[1] != item[2]]
    if not changed:
        return 0
    ids, before, after = (list(column) for column in zip(*changed, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, {"ids": ids, "before": before, "after": after})
        return int(cursor.rowcount)
