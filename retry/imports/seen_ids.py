"""Ids that a file has more than once, found without keeping them in memory."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Self

from django.db import DatabaseError, InterfaceError, connection

from entries.sql import load

_SQL = load(__file__)


class SeenIds:
    """The line in which each id of a file was first seen. One at a time in a session."""

    @classmethod
    @contextmanager
    def begin(cls) -> Iterator[Self]:
        """Keep ids for the block."""
        with connection.cursor() as cursor:
            cursor.execute(_SQL["drop_table"])
            cursor.execute(_SQL["create_table"])
        try:
            yield cls()
        finally:
            _drop()

    def add(self, lines: Mapping[str, int]) -> dict[str, int]:
        """Add ``lines`` by id; return the earlier lines of those that were seen before, by id."""
        if not lines:
            return {}
        with connection.cursor() as cursor:
            cursor.execute(_SQL["add_ids"], {"ids": list(lines), "lines": list(lines.values())})
            fresh = {external_id for (external_id,) in cursor.fetchall()}
            known = [external_id for external_id in lines if external_id not in fresh]
            if not known:
                return {}
            cursor.execute(_SQL["find_lines"], {"ids": known})
            return dict(cursor.fetchall())


def _drop() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(_SQL["drop_table"])
    except (DatabaseError, InterfaceError):
        # The transaction is broken or the connection is gone: the table goes with either, or with
        # the next import of this session.
        return
