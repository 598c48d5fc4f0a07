"""Entries to which something happened at a certain time."""

from datetime import datetime

from django.db import connection

from entries.models import Entry


def change_status_at(entry: Entry, at: datetime) -> None:
    """Let the entry have got its status at that time."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE entries_entry SET status_changed_at = %s WHERE id = %s", [at, entry.pk]
        )
