"""The one of an item's ids that it is stored under."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.db import connection

from entries.sources.base import Alias, SourceItem
from entries.sources.ids import clean_id
from entries.sql import load

_SQL = load(__file__)


def settle(source_id: int, items: Sequence[SourceItem]) -> list[SourceItem]:
    """Return the items without aliases, each under the id that its entry has or will get."""
    wanted: list[tuple[str, str]] = []
    for item in items:
        for alias in _candidates(item):
            id_ = clean_id(alias.external_id)
            wanted += [(id_, json.dumps(payload)) for payload in alias.payloads or ({},)]
    if not wanted:
        return list(items)
    known = _find_known(source_id, list(dict.fromkeys(wanted)))
    return [replace(item, external_id=_choose_id(item, known), aliases=()) for item in items]


def _candidates(item: SourceItem) -> tuple[Alias, ...]:
    """Return the ids of an item in the order in which they count."""
    if not item.aliases or item.external_id in {alias.external_id for alias in item.aliases}:
        return item.aliases
    return (Alias(item.external_id), *item.aliases)


def _choose_id(item: SourceItem, known: dict[str, set[str]]) -> str:
    """Choose by ``known``: for each id that an entry has, the payloads that the entry holds."""
    for alias in _candidates(item):
        fits = known.get(clean_id(alias.external_id), set())
        if any(json.dumps(payload) in fits for payload in alias.payloads or ({},)):
            return clean_id(alias.external_id)
    ids = [item.external_id, *(alias.external_id for alias in item.aliases)]
    free = (id_ for id_ in map(clean_id, ids) if id_ not in known)
    return next(free, clean_id(item.external_id))


def _find_known(source_id: int, wanted: Sequence[tuple[str, str]]) -> dict[str, set[str]]:
    params: dict[str, Any] = {
        "source_id": source_id,
        "n": list(range(len(wanted))),
        "ids": [id_ for id_, _ in wanted],
        "payloads": [payload for _, payload in wanted],
    }
    found: dict[str, set[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_SQL["find_known_ids"], params)
        for n, fits in cursor.fetchall():
            id_, payload = wanted[n]
            found.setdefault(id_, set()).update([payload] if fits else [])
    return found
