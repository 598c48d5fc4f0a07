"""Wake the dispatcher before its next look is due. A lost notification costs one tick."""

from django.db import connection

_CHANNEL = "redrive_dispatcher"


def notify() -> None:
    """Notify the dispatcher when the caller's transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {_CHANNEL}")


def wait(seconds: float) -> bool:
    """Wait at most so many seconds; True where a notification came."""
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {_CHANNEL}")
    with connection.wrap_database_errors:  # Django has no wrapper for the driver's notifies()
        return any(connection.connection.notifies(timeout=seconds, stop_after=1))
