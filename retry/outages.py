"""What a database error means to the caller: whether to try again, and how soon."""

from enum import StrEnum

from django.db import DatabaseError, InterfaceError, InternalError, OperationalError
from psycopg import errors


class Outage(StrEnum):
    #: PostgreSQL cannot be reached, or takes no writes.
    AWAY = "database_unavailable"
    #: Another transaction held a lock for longer than this one would wait.
    BUSY = "database_busy"
    TOO_SLOW = "query_timed_out"


_BUSY = (
    errors.LockNotAvailable,
    errors.DeadlockDetected,
    errors.IdleInTransactionSessionTimeout,
)


def classify_outage(error: BaseException) -> Outage | None:
    """Return the outage behind an error; None for other errors and for bugs in our queries."""
    if not isinstance(error, DatabaseError | InterfaceError):
        return None
    cause = error.__cause__
    if isinstance(cause, _BUSY):
        return Outage.BUSY
    if isinstance(cause, errors.QueryCanceled):
        return Outage.TOO_SLOW
    if isinstance(error, OperationalError | InterfaceError):
        return Outage.AWAY
    # During a failover the old server is read-only.
    read_only = isinstance(error, InternalError) and isinstance(
        cause, errors.ReadOnlySqlTransaction
    )
    return Outage.AWAY if read_only else None
