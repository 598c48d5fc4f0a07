"""Storing pushed items, known or new, with a result for each of them."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from entries.content import content_hash
from entries.sql import load
from entries.states import STORED_INTO, EntryStatus
from entries.storage.identity import FRAGMENTS
from entries.storage.upsert import NewEntry
from entries.storage.upstreams import list_upstreams

_SQL = load(__file__, include=FRAGMENTS)


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """One pushed item and its entry, as the statement found it."""

    id: int
    external_id: str
    #: Before the statement; None where it created the entry.
    status: EntryStatus | None
    attempt: int
    #: The entry had another content. Stored where ``STORED_INTO`` and ``same_kind`` allow it.
    changed: bool
    same_kind: bool


@dataclass(frozen=True, slots=True)
class Content:
    """What one known entry holds, and what decides whether new content is stored."""

    title: str
    payload: Any
    kind: str
    status: EntryStatus


class _Overtaken(Exception):
    """Another transaction created one of the entries after the statement had looked for it."""


def store(*, source_id: int | None, kind: str, items: Sequence[NewEntry]) -> list[StoredEntry]:
    """Create entries as ``pending`` or refresh known ones; return one result for each item.

    Must be called in a transaction, until whose end all of the entries are locked. The external ids
    of ``items`` must differ. Entries that are running or discarded, or have another kind, are left
    as they are.
    """
    params: dict[str, Any] = {
        "source_id": source_id,
        "kind": kind,
        "external_ids": [item.external_id for item in items],
        "titles": [item.title for item in items],
        "payloads": [json.dumps(item.payload) for item in items],
        "hashes": [content_hash(item.title, item.payload) for item in items],
        "upstreams": list_upstreams(source_id, kind, items),
        "stored_into": sorted(STORED_INTO),
    }
    while True:
        # Rolling back to the savepoint releases the locks, so that the next try locks in order.
        # Entries are never deleted, so it finds the one that was created meanwhile.
        try:
            with transaction.atomic():
                return _store(params)
        except _Overtaken:
            continue


def store_merged(
    *,
    source_id: int | None,
    kind: str,
    external_ids: Sequence[str],
    merge: Callable[[Mapping[str, Content]], Sequence[NewEntry]],
) -> list[StoredEntry]:
    """``store`` what ``merge`` returns for the known entries, given by external id.

    Must be called in a transaction. Known entries are locked before ``merge`` sees them, so what it
    sees stays until that transaction ends. ``merge`` may leave items out, and is called again where
    another transaction created one of the entries meanwhile. ``external_ids`` must differ.
    """
    while True:
        try:
            with transaction.atomic():
                known = _read(_SQL["lock"], source_id, external_ids)
                stored = store(source_id=source_id, kind=kind, items=merge(known))
                _check_locked(stored, known)
                return stored
        except _Overtaken:
            continue


def _check_locked(stored: Iterable[StoredEntry], known: Mapping[str, Content]) -> None:
    if any(s.status is not None and s.external_id not in known for s in stored):
        raise _Overtaken


def find_known(*, source_id: int | None, external_ids: Sequence[str]) -> dict[str, Content]:
    """Return the known entries by external id; lock nothing."""
    return _read(_SQL["find"], source_id, external_ids)


def _read(statement: str, source_id: int | None, external_ids: Sequence[str]) -> dict[str, Content]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"source_id": source_id, "external_ids": list(external_ids)})
        # Without a field of Django's, jsonb arrives as text.
        return {
            id_: Content(title, json.loads(payload), kind, EntryStatus(status))
            for id_, title, payload, kind, status in cursor
        }


def _store(params: dict[str, Any]) -> list[StoredEntry]:
    with connection.cursor() as cursor:
        cursor.execute(_SQL["store"], params)
        rows = cursor.fetchall()
    if any(row[0] is None for row in rows):
        raise _Overtaken
    return [
        StoredEntry(id_, external_id, EntryStatus(status) if status else None, *rest)
        for id_, external_id, status, *rest in rows
    ]
