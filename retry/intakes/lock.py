"""The lock under which a source or an uploaded file is read: one reader at a time.

It belongs to the database session, so no transaction is open and a killed process leaves no lock
behind. A process that gets it knows that no other process is reading.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, InterfaceError, connection

from retry.models import Intake, Sync


@contextmanager
def try_lock(row: Intake) -> Iterator[bool]:
    """Try to take the lock of what ``row`` reads and hold it for the block; never waits.

    Yields False where another session has it.
    """
    name = f"redrive.sync:{row.source_id}" if isinstance(row, Sync) else f"redrive.import:{row.pk}"
    key = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        taken = bool(cursor.fetchone()[0])
    try:
        yield taken
    finally:
        if taken:
            _release(key)


def _release(key: int) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
    except (DatabaseError, InterfaceError):
        connection.close()
