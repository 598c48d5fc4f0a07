"""Under which of its ids an item is stored."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.db import connection

from entries.sources.base import Alias, SourceItem
from entries.sources.ids import stored_id

# A row for each id that is known; ``fits``: with that payload.
_KNOWN = """
SELECT t.n, e.payload @> t.payload
FROM unnest(%(n)s::int[], %(ids)s::text[], %(payloads)s::jsonb[]) AS t (n, external_id, payload)
CROSS JOIN LATERAL (
    SELECT payload FROM entries_entry
    WHERE source_id = %(source_id)s AND external_id = t.external_id
    OFFSET 0
) e
"""


def settle(source_id: int, items: Sequence[SourceItem]) -> list[SourceItem]:
    """The items, each under the id that its entry has, or is to have."""
    asked: list[tuple[str, str]] = []
    for item in items:
        for alias in _candidates(item):
            id_ = stored_id(alias.external_id)
            asked += [(id_, json.dumps(payload)) for payload in alias.payloads or ({},)]
    if not asked:
        return list(items)
    known = _known(source_id, list(dict.fromkeys(asked)))
    return [replace(item, external_id=_id_of(item, known), aliases=()) for item in items]


def _candidates(item: SourceItem) -> tuple[Alias, ...]:
    """In the order in which they count."""
    if not item.aliases or item.external_id in {alias.external_id for alias in item.aliases}:
        return item.aliases
    return (Alias(item.external_id), *item.aliases)


def _id_of(item: SourceItem, known: dict[str, set[str]]) -> str:
    """``known``: for each id that somebody has, the payloads it fits."""
    for alias in _candidates(item):
        fits = known.get(stored_id(alias.external_id), set())
        if any(json.dumps(payload) in fits for payload in alias.payloads or ({},)):
            return stored_id(alias.external_id)
    ids = [item.external_id, *(alias.external_id for alias in item.aliases)]
    free = (id_ for id_ in map(stored_id, ids) if id_ not in known)
    return next(free, stored_id(item.external_id))


def _known(source_id: int, asked: Sequence[tuple[str, str]]) -> dict[str, set[str]]:
    params: dict[str, Any] = {
        "source_id": source_id,
        "n": list(range(len(asked))),
        "ids": [id_ for id_, _ in asked],
        "payloads": [payload for _, payload in asked],
    }
    found: dict[str, set[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, params)
        for n, fits in cursor.fetchall():
            id_, payload = asked[n]
            found.setdefault(id_, set()).update([payload] if fits else [])
    return found
