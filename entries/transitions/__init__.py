"""The only writer of ``Entry.status``.

Every function is one conditional, set-based statement, and what it returns is the truth about what
was changed. Rows are locked in id order, so that concurrent bulk writers queue up instead of
deadlocking. Nothing here opens a transaction: callers choose what commits together.

The statements lock first and test afterwards (``picked``): a loser who waited for the lock sees
the status that beat it, not the one its snapshot had.
"""

from entries.storage.presence import Gone, Presence
from entries.storage.refresh import FreshContent, Reversal, refresh, revert
from entries.storage.submission import Content, StoredEntry, find_known, store, store_merged
from entries.storage.upsert import (
    Comparison,
    NewEntry,
    UpsertResult,
    compare_entries,
    upsert_entries,
)
from entries.storage.upstreams import derive_upstreams
from entries.transitions.moves import SkippedEntries, move
from entries.transitions.queue import QueueResult, cancel, queue
from entries.transitions.rescue import RescuedEntry, release, rescue
from entries.transitions.work import (
    ClaimedEntry,
    Outcome,
    begin,
    claim,
    find_finished,
    finish,
    reassign,
)

__all__ = [
    "ClaimedEntry",
    "Comparison",
    "Content",
    "FreshContent",
    "Gone",
    "NewEntry",
    "Outcome",
    "Presence",
    "QueueResult",
    "RescuedEntry",
    "Reversal",
    "SkippedEntries",
    "StoredEntry",
    "UpsertResult",
    "begin",
    "cancel",
    "claim",
    "compare_entries",
    "derive_upstreams",
    "find_finished",
    "find_known",
    "finish",
    "move",
    "queue",
    "reassign",
    "refresh",
    "release",
    "rescue",
    "revert",
    "store",
    "store_merged",
    "upsert_entries",
]
