"""What goes on: operations under way, the last sync of each source, and what people did."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from retry.access.records import visible_events, visible_operations, visible_syncs
from retry.admin.operations.words import OUTCOMES, get_title
from retry.admin.shared.bar import Bar
from retry.admin.shared.verb_names import name_verb
from retry.models import Operation, OperationState, Sync
from retry.operations.progress import Progress, read_progress
from retry.outcomes import Actor, Channel

#: Rows of each part.
OPERATIONS, SOURCES, EVENTS = 4, 5, 6
#: Rows that are looked at for them, the newest.
_SYNCS = 200
_EVENTS = 300
#: What a bar shows; the rest of it is still to come.
_SETTLED = ("succeeded", "failed", "scheduled", "unchanged", "skipped", "cancelled")


@dataclass(frozen=True, slots=True)
class OperationRow:
    """``progress`` is kept for all who look; the words follow the language of each."""

    progress: Progress

    @property
    def operation(self) -> Operation:
        return self.progress.operation

    @property
    def title(self) -> str:
        return get_title(self.operation)

    @property
    def bar(self) -> Bar:
        counts = {
            name: self.progress.skipped_total
            if name == "skipped"
            else int(getattr(self.progress, name))
            for name in _SETTLED
        }
        return Bar.from_counts(counts, total=self.progress.total, labels=OUTCOMES)

    @property
    def percent(self) -> int:
        """How much has settled; 100 only when all has."""
        return 100 * self.progress.settled // max(self.progress.total, 1)

    @property
    def begun(self) -> bool:
        return self.operation.started_at is not None

    @property
    def starts_at(self) -> datetime | None:
        """When it starts, where that is a time to come and nothing else has to happen first."""
        start_at = self.operation.start_at
        waits = self.operation.state == OperationState.PLANNED and not self.begun
        return start_at if waits and start_at is not None and start_at > timezone.now() else None

    @property
    def minutes_left(self) -> int | None:
        """Time left in minutes, rounded up; None where it is unknown."""
        left = self.progress.eta_seconds
        return None if left is None or not left else max(1, round(left / 60))


@dataclass(frozen=True, slots=True)
class UnderWay:
    """The newest operations that have not ended; ``more``: there are others."""

    rows: Sequence[OperationRow]
    more: bool


@dataclass(frozen=True, slots=True)
class SourceRow:
    """The last sync of a source; ``failed`` says why, where it did."""

    source_id: int
    name: str
    sync_id: int
    state: str
    at: datetime
    failed: str


@dataclass(frozen=True, slots=True)
class EventRow:
    id: int
    at: datetime
    actor: str
    verb: str
    count: int
    reason: str
    operation_id: UUID | None

    @property
    def what(self) -> str:
        return name_verb(self.verb)


def list_under_way(actor: Actor) -> UnderWay:
    """List operations that have not ended, with their progress."""
    found = visible_operations(actor).filter(ended_at=None).order_by("-created_at")
    ids = list(found.values_list("pk", flat=True)[: OPERATIONS + 1])
    rows = [OperationRow(read_progress(id_, actor=actor)) for id_ in ids[:OPERATIONS]]
    return UnderWay(rows, more=len(ids) > OPERATIONS)


def list_sources(actor: Actor) -> Sequence[SourceRow]:
    """List the sources that were synced last, those whose last sync failed before the others."""
    newest: dict[int, Sync] = {}
    syncs = visible_syncs(actor).filter(dry_run=False).select_related("source").order_by("-id")
    for sync in syncs.defer("notes", "sample")[:_SYNCS]:
        newest.setdefault(sync.source_id, sync)
    rows = [
        SourceRow(
            source_id=sync.source_id,
            name=str(sync.source),
            sync_id=sync.pk,
            state=sync.state,
            at=sync.ended_at or sync.created_at,
            failed=sync.error,
        )
        for sync in newest.values()
    ]
    return sorted(rows, key=lambda row: not row.failed)[:SOURCES]


def list_events(actor: Actor) -> Sequence[EventRow]:
    """List what people and scripts did last; what the system does by itself is left out."""
    events = visible_events(actor).defer("before", "after").order_by("-id")[:_EVENTS]
    done = [event for event in events if event.channel != Channel.SYSTEM]
    return [
        EventRow(
            id=event.pk,
            at=event.at,
            actor=event.actor_label,
            verb=event.verb,
            count=event.count,
            reason=event.reason,
            operation_id=event.operation_id,
        )
        for event in done[:EVENTS]
    ]
