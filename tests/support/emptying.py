"""Empties the database after a test that commits, sooner than Django does.

TRUNCATE makes new files for each table and each of its indexes: 100 ms and more for ours, most of
which have no row. Deleting the few rows of a test takes a few milliseconds.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

#: What migrations leave and no test changes; Django would write it again each time.
_KEPT = frozenset({"django_content_type", "auth_permission"})


def _list_deletes(
    self: Any,
    style: Any,
    tables: Sequence[str],
    *,
    reset_sequences: bool = False,
    allow_cascade: bool = False,
) -> list[str]:
    names = [self.quote_name(table) for table in tables if table not in _KEPT]
    # Without triggers, and so in any order; within the transaction that empties the tables.
    deletes = [f"DELETE FROM {name}" for name in names]  # noqa: S608 - names of our own tables
    return ["SET LOCAL session_replication_role = replica", *deletes]


@contextmanager
def emptying_by_row() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(connection.ops), "sql_flush", _list_deletes)
        yield
