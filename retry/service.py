"""Every verb there is: what admin, API and commands call. They parse, find out who asks, and call
one of these; the verbs decide.

Each checks the actor's permission, and changes what it changes in one transaction together with its
audit row. Work is handed to the broker after the commit.
"""

from retry.requeue import (
    resync_entries,
    resync_entry,
    retry_entries,
    retry_entries_now,
    retry_entry,
    retry_entry_now,
    stop_retrying,
    stop_retrying_entry,
    submit_entries,
    wake_entries,
)
from retry.submission import submit

__all__ = [
    "resync_entries",
    "resync_entry",
    "retry_entries",
    "retry_entries_now",
    "retry_entry",
    "retry_entry_now",
    "stop_retrying",
    "stop_retrying_entry",
    "submit",
    "submit_entries",
    "wake_entries",
]
