"""The upstreams of entries: derived where they are stored, and for entries stored before."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from django.db import connection

from entries.kinds import registry
from entries.kinds.upstreams import depends_on_upstreams, derive_upstream, has_upstreams
from entries.sql import load

BATCH = 2_000

_SQL = load(__file__)


class HasPayload(Protocol):
    @property
    def payload(self) -> Mapping[str, Any]: ...


def list_upstreams(source_id: int | None, kind: str, items: Sequence[HasPayload]) -> list[str]:
    """Return the upstream of each item, in their order."""
    if not depends_on_upstreams(kind):
        return [""] * len(items)
    source = _read_slug(source_id)
    return [derive_upstream(kind, item.payload, source=source) for item in items]


def _read_slug(source_id: int | None) -> str | None:
    if source_id is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT slug FROM entries_source WHERE id = %s", [source_id])
        row = cursor.fetchone()
    return row[0] if row else None


def derive_upstreams() -> int:
    """Derive the upstreams of all stored entries, one statement a batch; return how many changed.

    For entries that were stored before their kind had upstreams. It can be interrupted and
    repeated.
    """
    kinds = [name for name, kind in registry.all_kinds().items() if has_upstreams(kind)]
    return sum(_store(rows) for rows in _batches(kinds))


def _batches(kinds: list[str]) -> Iterator[list[tuple[int, str, str | None, str, str]]]:
    last = 0
    while kinds:
        with connection.cursor() as cursor:
            cursor.execute(_SQL["read"], {"after": last, "kinds": kinds, "limit": BATCH})
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
        cursor.execute(_SQL["write"], {"ids": ids, "before": before, "after": after})
        return int(cursor.rowcount)
