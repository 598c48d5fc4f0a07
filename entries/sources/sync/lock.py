"""One reading of a source or a file at a time, by a lock of the session: no transaction is open.

It goes with the connection, so a killed process does not leave it behind, and whoever gets it
knows that nobody is at work.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection


@contextmanager
def attempted(id_: int | UUID, *, what: str = "sync") -> Iterator[bool]:
    """Says whether the lock was to be had; it is then held for the block. Never waits.

    In one session it may be taken again and again. ``id_``: of the source, or of ``what`` else.
    """
    key = _key(f"redrive.{what}:{id_}")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        got = bool(cursor.fetchone()[0])
    try:
        yield got
    finally:
        if got:
            _release(key)


def _release(key: int) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
    except (DatabaseError, InterfaceError):
        connection.close()


def _key(name: str) -> int:
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
