"""What a sync has stored, while it runs and at its end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from entries.text import ErrorInfo
from entries.transitions import AdoptedEntry


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """New entries of a committed batch, and the counts since the start."""

    created_ids: list[int]
    created: int
    updated: int
    unchanged: int
    invalid: int
    #: How many items the source has in all; None where that is not known beforehand.
    total: int | None

    @property
    def done(self) -> int:
        return self.created + self.updated + self.unchanged + self.invalid


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a whole sync stored, or a dry run would have stored.

    ``not_modified``: the source said that nothing had changed. ``updated`` also counts entries that
    were gone and came back. ``gone`` counts entries that are newly gone.
    """

    created: int
    updated: int
    unchanged: int
    gone: int = 0
    invalid: int = 0
    not_modified: bool = False
    #: What was left out or looked odd, in sentences.
    notes: tuple[str, ...] = ()
    #: In a dry run: some of what would change.
    sample: list[dict[str, Any]] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.created + self.updated + self.unchanged


@dataclass(frozen=True, slots=True)
class AdoptedFailure:
    """An entry that is failed from the start, in the transaction that has stored it."""

    entry: AdoptedEntry
    error: ErrorInfo


OnAdopted = Callable[[Sequence[AdoptedFailure]], None]
OnBatch = Callable[[SyncProgress], None]
