"""The wrapper that Django loads for ``ENGINE = "entries.database"``."""

from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper

from entries.database.prepared import PreparedCursor
from entries.database.silence import AttentiveConnection


class _Driver:
    """psycopg, with a connection class of our own."""

    Connection = AttentiveConnection
    connect = AttentiveConnection.connect

    def __getattr__(self, name: str) -> Any:
        return getattr(psycopg, name)


class DatabaseWrapper(base.DatabaseWrapper):
    Database: Any = _Driver()

    def open_prepared_cursor(self) -> CursorWrapper:
        """As ``cursor``, for statements with named parameters that are prepared on the session."""
        self.close_if_health_check_failed()
        self.ensure_connection()
        with self.wrap_database_errors:
            cursor = PreparedCursor(self.connection)
        prepared: CursorWrapper = self._prepare_cursor(cursor)  # type: ignore[attr-defined] # unstubbed
        return prepared
