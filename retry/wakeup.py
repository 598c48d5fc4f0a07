"""Waking the dispatcher before its next look is due. A lost call costs one tick, nothing else."""

from django.db import connection

_CHANNEL = "redrive_dispatcher"


def call() -> None:
    """In the caller's transaction: it is heard when that commits."""
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {_CHANNEL}")


def wait(seconds: float) -> bool:
    """Until somebody calls, or so many seconds; says whether somebody called."""
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {_CHANNEL}")
    with connection.wrap_database_errors:  # the driver's own: Django's wrapper has no word for it
        return any(connection.connection.notifies(timeout=seconds, stop_after=1))
