"""A worker's part in a resync: what a source has of a run's entries, stored before they run."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from entries import storage, transitions
from entries.content import content_hash
from entries.errors import SourceError
from entries.kinds.upstreams import derive_upstream
from entries.models import Source
from entries.sources.base import SourceItem
from entries.sources.sync.batches import estimate_size
from entries.sources.sync.lookup import Unstorable, read_some, reads_one_by_one
from entries.sql import load
from entries.states import AttemptStatus, Change, EntryStatus
from entries.storage import FreshContent
from entries.text import ErrorInfo, describe_error
from entries.transitions import ClaimedEntry, Outcome, Reversal
from retry import outcome_counts
from retry.models import Run
from retry.runs.lifecycle import OutcomeCounts, count_outcomes
from retry.worker.activity import Activity
from retry.worker.kind_connections import KindConnections
from retry.worker.patience import ENDLESS

logger = logging.getLogger(__name__)

#: Items that are requested in one reading, and kept for the next runs.
MAX_ITEMS = 20_000
#: How long a worker continues with the next runs after it has read their source for them.
LINGER_SECONDS = 60.0
#: Characters of payload in a reading. Above that it keeps only what its own run needs.
MAX_CHARACTERS = 30_000_000

_SQL = load(__file__)

Items = Mapping[str, SourceItem | Unstorable]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a source has, by external id, or the error why it could not be read."""

    items: Items
    error: ErrorInfo | None = None


class SourceReader:
    """Reads sources for the runs of one execution.

    A source that can only be read whole is also searched for the entries of the operation's next
    runs, so that hundreds of runs cost one reading. A later run uses that reading only if it began
    after the run was created: so its content is never staler than a reading of its own.
    """

    def __init__(self, activity: Activity, connections: KindConnections) -> None:
        self._activity = activity
        self._connections = connections
        self._source_id: int | None = None
        self._began: datetime | None = None
        self._external_ids: frozenset[str] = frozenset()
        self._reading = Reading({})
        #: Whether the last reading also covers entries of the runs behind its run.
        self.is_ahead = False

    def read(self, run: Run) -> Reading:
        """Return what the source has of a run's entries. Never raises for what the source does."""
        self._activity.read(seconds=settings.REDRIVE_SYNC_TIMEOUT)
        external_ids = ENDLESS.ask(_find_external_ids, run)
        if not self._covers(run, external_ids):
            self._read(run, external_ids)
        self._activity.read(seconds=0)
        self.is_ahead = len(self._external_ids) > run.size
        return self._reading

    def _covers(self, run: Run, external_ids: Sequence[str]) -> bool:
        if self._reading.error is not None or self._began is None:
            return False
        is_current = self._source_id == run.source_id and self._began >= run.created_at
        return is_current and self._external_ids.issuperset(external_ids)

    def _read(self, run: Run, external_ids: Sequence[str]) -> None:
        source = ENDLESS.ask(lambda: run.source)
        if source is None:
            missing = SourceError("no_source", "the entry has no source to be fetched from")
            self._reading = Reading({}, describe_error(missing))
            return
        self._source_id, self._began = run.source_id, ENDLESS.ask(_fetch_time)
        ahead = ENDLESS.ask(_find_next_external_ids, run)
        try:
            items, self._external_ids = _read_items(
                source, frozenset(external_ids), ahead=ahead, connections=self._connections
            )
            self._reading = Reading(items)
        except BaseException as error:  # noqa: BLE001 - a kind of source may raise anything
            code = error.code if isinstance(error, SourceError) else type(error).__name__
            logger.warning("resync.no_source", extra={"source": source.slug, "code": code})
            self._connections.find_leftovers()
            self._reading = Reading({}, describe_error(error))


def _read_items(
    source: Source,
    external_ids: frozenset[str],
    *,
    ahead: Iterable[str],
    connections: KindConnections,
) -> tuple[Items, frozenset[str]]:
    """Read a source; returns its items and the external ids that they cover."""
    with connections.lend():
        requested = external_ids if reads_one_by_one(source) else external_ids.union(ahead)
        items, is_whole = _select_items(read_some(source, requested), external_ids)
    if leftovers := connections.find_leftovers():
        message = f"the source kind {source.kind} left {leftovers}"
        raise SourceError("broken_kind", message)
    return items, requested if is_whole else external_ids


def _select_items(
    found: Iterable[SourceItem | Unstorable], external_ids: frozenset[str]
) -> tuple[Items, bool]:
    """Return all items and True, or only those with ``external_ids`` where all are too large."""
    items: dict[str, SourceItem | Unstorable] = {}
    size, is_whole = 0, True
    for item in found:
        if not is_whole and item.external_id not in external_ids:
            continue
        items[item.external_id] = item
        size += estimate_size(item.payload) if isinstance(item, SourceItem) else 0
        if is_whole and size > MAX_CHARACTERS:
            is_whole = False
            items = {key: value for key, value in items.items() if key in external_ids}
    return items, is_whole


@dataclass(frozen=True, slots=True)
class Comparison:
    """What to store of claimed entries, and which of them to give back unprocessed."""

    fresh: list[FreshContent]
    reversals: list[Reversal]

    def apply(self, entries: Sequence[ClaimedEntry], stored: set[int]) -> list[ClaimedEntry]:
        """Return the entries to process with their new content; ``stored``: what was written."""
        fresh = {content.entry_id: content for content in self.fresh}
        processed = stored - {item.entry_id for item in self.reversals}
        return [_update(entry, fresh[entry.id]) for entry in entries if entry.id in processed]


def refresh(
    entries: Sequence[ClaimedEntry], reading: Reading, *, run: Run, worker: str
) -> list[ClaimedEntry]:
    """Store what a source has of claimed entries; return those to process, as stored.

    The others get back the status they had: all of them where the source could not be read, and
    the unchanged ones where the run processes only what changed. Fenced, and safe to repeat.
    """
    found = compare(entries, reading, only_if_changed=run.only_if_changed)
    stored = storage.refresh(found.fresh, run_id=run.id) if found.fresh else set()
    if found.reversals:
        reverted = _revert(found.reversals, entries, run=run)
        statuses = Counter(r.status for r in found.reversals if r.entry_id in reverted)
        if statuses and run.size > 1:
            counts = OutcomeCounts(
                unchanged=statuses[AttemptStatus.UNCHANGED], failed=statuses[AttemptStatus.FAILED]
            )
            count_outcomes(run, counts, worker=worker)
    return found.apply(entries, stored)


def _revert(
    reversals: Sequence[Reversal], entries: Sequence[ClaimedEntry], *, run: Run
) -> set[int]:
    upstreams = {entry.id: entry.upstream for entry in entries}
    with transaction.atomic():
        reverted = transitions.revert(reversals, run_id=run.id)
        failures = [
            Outcome(r.entry_id, EntryStatus.FAILED, error=r.error, upstream=upstreams[r.entry_id])
            for r in reversals
            if r.error is not None and r.entry_id in reverted
        ]
        outcome_counts.append_failures(failures, run=run)
    return reverted


def compare(
    entries: Sequence[ClaimedEntry], reading: Reading, *, only_if_changed: bool
) -> Comparison:
    """Compare claimed entries with what their source has.

    All are given back where the source could not be read, and with ``only_if_changed`` those that
    have not changed.
    """
    fresh: list[FreshContent] = []
    reversals: list[Reversal] = []
    for entry in entries:
        seen = reading.error or _compare(entry, reading.items.get(entry.external_id))
        if isinstance(seen, ErrorInfo):
            reversals.append(Reversal(entry.id, AttemptStatus.FAILED, seen))
            continue
        fresh.append(seen)
        if only_if_changed and Change.CHANGED not in {seen.change, entry.change}:
            reversals.append(Reversal(entry.id, AttemptStatus.UNCHANGED))
    return Comparison(fresh, reversals)


def _compare(entry: ClaimedEntry, item: SourceItem | Unstorable | None) -> FreshContent | ErrorInfo:
    # With what is stored now, so that an edit by hand counts as a difference, too.
    if isinstance(item, Unstorable):
        return describe_error(SourceError("invalid_item", item.reason))
    before = content_hash(entry.title, entry.payload)
    if item is None:
        return FreshContent(entry.id, Change.GONE, before, "")
    after = content_hash(item.title, item.payload)
    if after == before:
        # Changed: this attempt stored it already, before its worker died.
        stored = entry.change == Change.CHANGED
        return FreshContent(entry.id, Change.CHANGED if stored else Change.UNCHANGED, before, after)
    upstream = derive_upstream(entry.kind, item.payload, source=entry.source)
    return FreshContent(entry.id, Change.CHANGED, before, after, item.title, item.payload, upstream)


def _update(entry: ClaimedEntry, fresh: FreshContent) -> ClaimedEntry:
    if fresh.title is None or fresh.payload is None:
        return entry._replace(change=fresh.change.value)
    return entry._replace(
        change=fresh.change.value,
        title=fresh.title,
        payload=dict(fresh.payload),
        upstream=fresh.upstream,
    )


def _find_external_ids(run: Run) -> list[str]:
    return _fetch_column(_SQL["external_ids"], {"ids": run.entry_ids})


def _find_next_external_ids(run: Run) -> list[str]:
    params = {
        "operation": run.operation_id,
        "position": run.position,
        "source": run.source_id,
        "limit": MAX_ITEMS - run.size,
    }
    return _fetch_column(_SQL["next_external_ids"], params)


def _fetch_time() -> datetime:
    moment: datetime = _fetch_column(_SQL["time"], {})[0]
    return moment


def _fetch_column(statement: str, params: Mapping[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return [row[0] for row in cursor.fetchall()]
