"""A connection is not kept while something slow is waited for."""

from django.db import connection


def release_connection() -> None:
    """Give the connection back to the pool that it is from, or else close it.

    In a transaction it is kept.
    """
    if not connection.in_atomic_block:
        getattr(connection, "give_back", connection.close)()
