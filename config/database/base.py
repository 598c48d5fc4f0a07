"""The wrapper that Django loads for ``ENGINE = "config.database"``."""

from typing import Any

import psycopg
from django.db.backends.postgresql import base

from config.database.silence import AttentiveConnection


class _Driver:
    """psycopg, with a connection class of our own."""

    Connection = AttentiveConnection
    connect = AttentiveConnection.connect

    def __getattr__(self, name: str) -> Any:
        return getattr(psycopg, name)


class DatabaseWrapper(base.DatabaseWrapper):
    Database: Any = _Driver()
