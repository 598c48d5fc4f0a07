"""Ids that a file has more than once, found without holding them in memory."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Self

from django.db import DatabaseError, InterfaceError, connection

_DROP = "DROP TABLE IF EXISTS pg_temp.import_seen"
_CREATE = """
CREATE TEMPORARY TABLE import_seen (external_id text PRIMARY KEY, line bigint NOT NULL)
"""
_SEE = """
INSERT INTO pg_temp.import_seen (external_id, line)
SELECT * FROM unnest(%s::text[], %s::bigint[])
ON CONFLICT (external_id) DO NOTHING
RETURNING external_id
"""
_FIND = "SELECT external_id, line FROM pg_temp.import_seen WHERE external_id = ANY(%s)"


class Seen:
    """Which ids were in which line. Get one with ``Seen.begin``; one at a time in a session."""

    @classmethod
    @contextmanager
    def begin(cls) -> Iterator[Self]:
        with connection.cursor() as cursor:
            cursor.execute(_DROP)
            cursor.execute(_CREATE)
        try:
            yield cls()
        finally:
            _drop()

    def see(self, lines: Mapping[str, int]) -> dict[str, int]:
        """``lines`` by id; returns the lines of those that were there before, by id."""
        if not lines:
            return {}
        with connection.cursor() as cursor:
            cursor.execute(_SEE, [list(lines), list(lines.values())])
            fresh = {external_id for (external_id,) in cursor.fetchall()}
            known = [external_id for external_id in lines if external_id not in fresh]
            if not known:
                return {}
            cursor.execute(_FIND, [known])
            return dict(cursor.fetchall())


def _drop() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(_DROP)
    except (DatabaseError, InterfaceError):
        # Within a broken transaction, or without a connection: it goes with either, or with the
        # next import of this session.
        return
