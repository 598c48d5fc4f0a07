"""Keeping the counts of entries by status short, and setting them right."""

from django.db import connection, transaction

from entries.sql import load

#: Changes folded by one statement.
BATCH = 5_000

_SQL = load(__file__)


def fold_status_changes() -> int:
    """Fold the oldest ``BATCH`` changes into the totals and return how many there were.

    Any number may fold at once. Where none does, counts stay exact and take longer to read.
    """
    return _run(_SQL["fold"], batch=BATCH)


def recount_statuses() -> int:
    """Set the counts right where entries changed without their triggers, as in a restored copy.

    In a transaction of its own, or the caller's. Reads every entry once, and only another recount
    waits for it. Returns by how many the counts were wrong.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_SQL["lock_recounts"])
        return _run(_SQL["recount"])


def _run(statement: str, **params: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return int(cursor.fetchone()[0])
