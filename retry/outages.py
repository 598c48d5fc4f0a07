"""What an error of the database means for whoever asked: try again, and how soon."""

from enum import StrEnum

from django.db import DatabaseError, InterfaceError, InternalError, OperationalError
from psycopg import errors


class Outage(StrEnum):
    #: PostgreSQL cannot be reached, or takes no writes.
    AWAY = "database_unavailable"
    #: Somebody else held what this needed for longer than this was willing to wait.
    BUSY = "database_busy"
    TOO_SLOW = "query_timed_out"


_BUSY = (
    errors.LockNotAvailable,
    errors.DeadlockDetected,
    errors.IdleInTransactionSessionTimeout,
)


def classify_outage(error: BaseException) -> Outage | None:
    """None for what is not the database's doing, or a mistake of ours in using it."""
    if not isinstance(error, DatabaseError | InterfaceError):
        return None
    cause = error.__cause__
    if isinstance(cause, _BUSY):
        return Outage.BUSY
    if isinstance(cause, errors.QueryCanceled):
        return Outage.TOO_SLOW
    if isinstance(error, OperationalError | InterfaceError):
        return Outage.AWAY
    # A server that takes no writes because another is about to replace it.
    read_only = isinstance(error, InternalError) and isinstance(
        cause, errors.ReadOnlySqlTransaction
    )
    return Outage.AWAY if read_only else None
