"""What entries hold: creating them, storing what changed, marking what is gone.

Writes content and never a status: a new entry gets its status from the database's defaults. Rows
are locked in id order, as ``entries.transitions`` locks them. Nothing here opens a transaction
unless it says so.
"""

from entries.storage.edits import ContentEdit, StoredContent, edit, lock_entry, read_content, undo
from entries.storage.index import index_entries
from entries.storage.presence import MissingEntry, Presence
from entries.storage.refresh import FreshContent, refresh
from entries.storage.status_totals import fold_status_changes, recount_statuses
from entries.storage.submission import Content, StoredEntry, find_known, store, store_merged
from entries.storage.upsert import (
    Comparison,
    Difference,
    NewEntry,
    UpsertResult,
    compare_entries,
    upsert_entries,
)
from entries.storage.upstreams import derive_upstreams

__all__ = [
    "Comparison",
    "Content",
    "ContentEdit",
    "Difference",
    "FreshContent",
    "MissingEntry",
    "NewEntry",
    "Presence",
    "StoredContent",
    "StoredEntry",
    "UpsertResult",
    "compare_entries",
    "derive_upstreams",
    "edit",
    "find_known",
    "fold_status_changes",
    "index_entries",
    "lock_entry",
    "read_content",
    "recount_statuses",
    "refresh",
    "store",
    "store_merged",
    "undo",
    "upsert_entries",
]
