"""The only writer of ``Entry.status`` and what follows from it.

Every function runs one conditional, set-based statement, and returns what that has changed. Rows
are locked in id order, so that concurrent bulk writers wait for each other instead of deadlocking.
Nothing here opens a transaction: callers choose what commits together.

The statements lock first and test afterwards (``picked``): the second of two writers tests the
status that the first has written, not the one in its snapshot.
"""

from entries.transitions.adoption import AdoptedEntry, Adoption, adopt
from entries.transitions.moves import defer, move
from entries.transitions.queue import QueueResult, lock_free, queue
from entries.transitions.rescue import RescuedEntry, release, rescue
from entries.transitions.reversal import Reversal, cancel, revert
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
    "AdoptedEntry",
    "Adoption",
    "ClaimedEntry",
    "Outcome",
    "QueueResult",
    "RescuedEntry",
    "Reversal",
    "adopt",
    "begin",
    "cancel",
    "claim",
    "defer",
    "find_finished",
    "finish",
    "lock_free",
    "move",
    "queue",
    "reassign",
    "release",
    "rescue",
    "revert",
]
