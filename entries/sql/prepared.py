"""Statements that are prepared on the session."""

from typing import cast

from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper

from entries.database.base import DatabaseWrapper


def open_prepared_cursor() -> CursorWrapper:
    """Return a cursor for a statement that PostgreSQL parses and plans once for each session.

    Its parameters have the same types every time. Where ``DATABASE_PREPARED`` is off, because a
    pooler hands sessions around between two statements, it is a cursor like any other.
    """
    if not settings.DATABASE_PREPARED:
        return connection.cursor()
    return cast("DatabaseWrapper", connection).open_prepared_cursor()
