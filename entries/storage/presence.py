"""Which entries a source still has: what one reading has seen, and what is gone after it.

The ids seen are kept in a table of the session, not in memory: a source may have a million. It
goes with the connection, so a killed process leaves nothing behind.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from django.db import DatabaseError, InterfaceError, connection, transaction

from entries.sql import load

BATCH = 5_000

_SQL = load(__file__)


@dataclass(frozen=True, slots=True)
class MissingEntry:
    """An entry that its source does not have any more."""

    id: int
    external_id: str
    title: str


class Presence:
    """What one reading of a source has seen so far. Get one with ``Presence.track``."""

    def __init__(self, source_id: int, since: datetime) -> None:
        self._source_id = source_id
        self._since = since

    @classmethod
    @contextmanager
    def track(cls, source_id: int) -> Iterator[Self]:
        """Create the tables for one reading, and drop them afterwards. One at a time in a session.

        A context manager.
        """
        with connection.cursor() as cursor:
            cursor.execute(_SQL["drop_tables"])
            cursor.execute(_SQL["create_seen"])
            cursor.execute(_SQL["create_gone"])
            cursor.execute("SELECT clock_timestamp()")
            (since,) = cursor.fetchone()
        try:
            yield cls(source_id, since)
        finally:
            _drop_tables()

    def see(self, ids: Sequence[str], *, unstorable: Sequence[str] = ()) -> set[str]:
        """Note external ids; return those of ``ids`` (each once) that were not seen before.

        ``unstorable``: ids of items that cannot be stored as they are. The source has them, so they
        are not gone; they may follow in a form that can be stored.
        """
        with connection.cursor() as cursor:
            cursor.execute(_SQL["see"], {"external_ids": list(ids)})
            fresh = {external_id for (external_id,) in cursor.fetchall()}
            if unstorable:
                cursor.execute(_SQL["see_unstorable"], {"external_ids": list(unstorable)})
        return fresh

    def find_gone(self) -> int:
        """Count the entries that were not seen, once the reading is complete; mark nothing yet."""
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE pg_temp.sync_seen")
            # One join over everything: it needs memory, and no other request shares this session.
            with transaction.atomic():
                cursor.execute("SET LOCAL work_mem = '64MB'")
                params: dict[str, Any] = {"source_id": self._source_id, "since": self._since}
                cursor.execute(_SQL["find_gone"], params)
                return int(cursor.rowcount)

    def read_sample(self, limit: int) -> list[MissingEntry]:
        with connection.cursor() as cursor:
            cursor.execute(_SQL["sample_gone"], {"limit": limit})
            return [MissingEntry(*row) for row in cursor.fetchall()]

    def mark_gone(self) -> int:
        """Mark what ``find_gone`` found, one transaction a batch; return how many were marked."""
        marked = 0
        for ids in self._find_gone_ids():
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(_SQL["mark_gone"], {"ids": ids})
                marked += cursor.rowcount
        return marked

    def _find_gone_ids(self) -> Iterator[list[int]]:
        last = 0
        while True:
            with connection.cursor() as cursor:
                cursor.execute(_SQL["next_gone"], {"after": last, "limit": BATCH})
                ids = [id_ for (id_,) in cursor.fetchall()]
            if not ids:
                return
            yield ids
            last = ids[-1]


def _drop_tables() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(_SQL["drop_tables"])
    except (DatabaseError, InterfaceError):
        # The transaction is broken, or the connection is gone: the tables go with either, or with
        # the next reading of this session.
        return
