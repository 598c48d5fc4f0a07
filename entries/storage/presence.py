"""Which entries a source still has: what was seen in one reading, and what is gone after it.

The ids seen are kept in a table of the session, not in memory: a source may have a million. It
goes with the connection, so a killed process leaves nothing behind.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from django.db import DatabaseError, InterfaceError, connection, transaction

BATCH = 5_000

_DROP = "DROP TABLE IF EXISTS pg_temp.sync_seen, pg_temp.sync_gone"
# ``stored`` is false for what has the id and cannot be stored: the source has it all the same.
_CREATE = """
CREATE TEMPORARY TABLE sync_seen (external_id text PRIMARY KEY, stored boolean NOT NULL);
CREATE TEMPORARY TABLE sync_gone (id bigint PRIMARY KEY);
"""
_SEE = """
INSERT INTO pg_temp.sync_seen AS s (external_id, stored)
SELECT t.external_id, true FROM unnest(%s::text[]) AS t (external_id)
ON CONFLICT (external_id) DO UPDATE SET stored = true WHERE NOT s.stored
RETURNING external_id
"""
_SEE_UNSTORABLE = """
INSERT INTO pg_temp.sync_seen (external_id, stored)
SELECT DISTINCT t.external_id, false FROM unnest(%s::text[]) AS t (external_id)
ON CONFLICT (external_id) DO NOTHING
"""
# Entries that came while the source was read cannot have been in it yet.
_FIND = """
INSERT INTO pg_temp.sync_gone (id)
SELECT e.id FROM entries_entry e
WHERE e.source_id = %(source_id)s AND e.gone_at IS NULL AND e.created_at <= %(since)s
  AND NOT EXISTS (SELECT FROM pg_temp.sync_seen s WHERE s.external_id = e.external_id)
"""
_SAMPLE = """
SELECT e.id, e.external_id, e.title
FROM pg_temp.sync_gone g JOIN entries_entry e ON e.id = g.id ORDER BY g.id LIMIT %s
"""
_NEXT = "SELECT id FROM pg_temp.sync_gone WHERE id > %s ORDER BY id LIMIT %s"
_MARK = """
WITH picked AS (
    SELECT id FROM entries_entry WHERE id = ANY(%(ids)s) AND gone_at IS NULL
    ORDER BY id FOR UPDATE
)
UPDATE entries_entry e SET gone_at = clock_timestamp(), updated_at = clock_timestamp()
FROM picked WHERE e.id = picked.id
"""


@dataclass(frozen=True, slots=True)
class Gone:
    """An entry that its source does not have any more."""

    id: int
    external_id: str
    title: str


class Presence:
    """What one reading of a source has shown so far. Get one with ``Presence.of``."""

    def __init__(self, source_id: int, since: datetime) -> None:
        self._source_id = source_id
        self._since = since

    @classmethod
    @contextmanager
    def of(cls, source_id: int) -> Iterator[Self]:
        """Begin; at the end the tables go. One at a time in a session."""
        with connection.cursor() as cursor:
            cursor.execute(_DROP)
            cursor.execute(_CREATE)
            cursor.execute("SELECT clock_timestamp()")
            (since,) = cursor.fetchone()
        try:
            yield cls(source_id, since)
        finally:
            _drop()

    def see(self, ids: Sequence[str], *, unstorable: Sequence[str] = ()) -> set[str]:
        """Those of ``ids`` (each once) that were not there before. ``unstorable`` ones are there
        for the source, and may come again in a form that can be stored.
        """
        with connection.cursor() as cursor:
            cursor.execute(_SEE, [list(ids)])
            fresh = {external_id for (external_id,) in cursor.fetchall()}
            if unstorable:
                cursor.execute(_SEE_UNSTORABLE, [list(unstorable)])
        return fresh

    def find_gone(self) -> int:
        """How many entries were not seen, once the reading is complete. Nothing is marked yet."""
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE pg_temp.sync_seen")
            # One join over all of it: what it needs is known, and nobody else shares the session.
            with transaction.atomic():
                cursor.execute("SET LOCAL work_mem = '64MB'")
                cursor.execute(_FIND, {"source_id": self._source_id, "since": self._since})
                return int(cursor.rowcount)

    def gone_sample(self, limit: int) -> list[Gone]:
        with connection.cursor() as cursor:
            cursor.execute(_SAMPLE, [limit])
            return [Gone(*row) for row in cursor.fetchall()]

    def mark_gone(self) -> int:
        """Mark what ``find_gone`` found, a batch a transaction; returns how many were marked."""
        marked = 0
        for ids in self._gone_ids():
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(_MARK, {"ids": ids})
                marked += cursor.rowcount
        return marked

    def _gone_ids(self) -> Iterable[list[int]]:
        last = 0
        while True:
            with connection.cursor() as cursor:
                cursor.execute(_NEXT, [last, BATCH])
                ids: list[Any] = [id_ for (id_,) in cursor.fetchall()]
            if not ids:
                return
            yield ids
            last = ids[-1]


def _drop() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(_DROP)
    except (DatabaseError, InterfaceError):
        # Within a broken transaction, or without a connection: they go with either, or with the
        # next reading of this session.
        return
