"""A worker's part in a resync: what its source has of a run's entries, stored before they run."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from django.db import connection

from entries import storage, transitions
from entries.content import content_hash
from entries.errors import SourceError
from entries.kinds.upstreams import derive_upstream
from entries.sources.base import SourceItem
from entries.sources.sync.batches import estimate_size
from entries.sources.sync.lookup import Unstorable, read_some, reads_one_by_one
from entries.states import AttemptStatus, Change
from entries.storage import FreshContent
from entries.text import ErrorInfo, describe_error
from entries.transitions import ClaimedEntry, Reversal
from retry.models import Run
from retry.worker.kind_connections import KindConnections
from retry.worker.patience import outlast

logger = logging.getLogger(__name__)

#: So many items are asked for in one reading, and kept for the runs that follow.
MOST_ITEMS = 20_000
#: Of payload, before a reading keeps no more than its own run wants.
MOST_CHARACTERS = 30_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """What the source has of the entries that were asked for, or why it could not be asked."""

    items: Mapping[str, SourceItem | Unstorable]
    error: ErrorInfo | None = None


@dataclass(frozen=True, slots=True)
class Rescanned:
    """``kept`` go on to be processed; the others have been given back to what they were."""

    kept: list[ClaimedEntry]
    unchanged: int = 0
    failed: int = 0


class Readings:
    """What this execution has read of sources.

    A source that can only be read whole is asked for the entries of the operation's next runs as
    well: hundreds of runs then cost one reading. A reading is as good for a run as one of its own
    where it began after the run was asked for, so nobody gets anything stale.
    """

    def __init__(self) -> None:
        self._source_id: int | None = None
        self._began: datetime | None = None
        self._asked: frozenset[str] = frozenset()
        self._found = Found({})

    def of(self, run: Run, *, connections: KindConnections) -> Found:
        """Never raises for what the source or its kind does, which is lent ``connections``."""
        wanted = outlast(lambda: _external_ids(run))
        if not self._covers(run, wanted):
            self._read(run, wanted, connections)
        return self._found

    def covers_more(self, run: Run) -> bool:
        """Something was read ahead for the runs behind this one."""
        return run.resync and len(self._asked) > run.size

    def _covers(self, run: Run, wanted: Sequence[str]) -> bool:
        if self._found.error is not None or self._began is None:
            return False
        same = self._source_id == run.source_id and self._began >= run.created_at
        return same and self._asked.issuperset(wanted)

    def _read(self, run: Run, wanted: Sequence[str], connections: KindConnections) -> None:
        source = outlast(lambda: run.source)
        if source is None:
            missing = SourceError("no_source", "the entry has no source to be fetched from")
            self._found = Found({}, describe_error(missing))
            return
        self._source_id, self._began = run.source_id, outlast(_now)
        behind = outlast(lambda: _external_ids_behind(run))
        try:
            with connections.lent():
                asked = {*wanted, *([] if reads_one_by_one(source) else behind)}
                items, whole = _kept(read_some(source, asked), frozenset(wanted))
            _refuse(connections.left(), kind=source.kind)
            self._asked = frozenset(asked if whole else wanted)
            self._found = Found(items)
        except BaseException as error:  # noqa: BLE001 - a kind of source may raise anything
            code = error.code if isinstance(error, SourceError) else type(error).__name__
            logger.warning("resync.no_source", extra={"source": source.slug, "code": code})
            connections.left()
            self._found = Found({}, describe_error(error))


def _refuse(left: str, *, kind: str) -> None:
    if left:
        raise SourceError("broken_kind", f"the source kind {kind} left {left}")


def _kept(
    found: Iterable[SourceItem | Unstorable], wanted: frozenset[str]
) -> tuple[dict[str, SourceItem | Unstorable], bool]:
    """All of ``found``, or where that is too much to be kept, what this run wants of it."""
    items: dict[str, SourceItem | Unstorable] = {}
    size, whole = 0, True
    for item in found:
        if not whole and item.external_id not in wanted:
            continue
        items[item.external_id] = item
        size += estimate_size(item.payload) if isinstance(item, SourceItem) else 0
        if whole and size > MOST_CHARACTERS:
            whole = False
            items = {key: value for key, value in items.items() if key in wanted}
    return items, whole


def rescan(claimed: Sequence[ClaimedEntry], found: Found, *, run: Run) -> Rescanned:
    """Store what is new of entries the run holds. Those that are not to be processed are given
    back: all where the source could not be read, the unchanged where only what changed is wanted.
    """
    reverting: list[Reversal] = []
    fresh: list[FreshContent] = []
    for entry in claimed:
        seen = found.error or _compared(entry, found.items.get(entry.external_id))
        if isinstance(seen, ErrorInfo):
            reverting.append(Reversal(entry.id, AttemptStatus.FAILED, seen))
            continue
        fresh.append(seen)
        if run.only_if_changed and Change.CHANGED not in {seen.change, entry.change}:
            reverting.append(Reversal(entry.id, AttemptStatus.UNCHANGED))
    stored = storage.refresh(fresh, run_id=run.id) if fresh else set()
    reverted = transitions.revert(reverting, run_id=run.id) if reverting else set()
    by_id = {seen.entry_id: seen for seen in fresh if seen.entry_id in stored}
    given_back = {item.entry_id for item in reverting}
    return Rescanned(
        [_refreshed(e, by_id[e.id]) for e in claimed if e.id in by_id and e.id not in given_back],
        unchanged=_count(reverting, reverted, AttemptStatus.UNCHANGED),
        failed=_count(reverting, reverted, AttemptStatus.FAILED),
    )


def _compared(
    entry: ClaimedEntry, item: SourceItem | Unstorable | None
) -> FreshContent | ErrorInfo:
    """With what is stored now: what somebody edited by hand counts as different, too. So does what
    this very try has stored already, before its worker died.
    """
    if isinstance(item, Unstorable):
        return describe_error(SourceError("invalid_item", item.reason))
    before = content_hash(entry.title, entry.payload)
    if item is None:
        return FreshContent(entry.id, Change.GONE, before, "")
    after = content_hash(item.title, item.payload)
    if after == before:
        stored = entry.change == Change.CHANGED
        return FreshContent(entry.id, Change.CHANGED if stored else Change.UNCHANGED, before, after)
    upstream = derive_upstream(entry.kind, item.payload, source=entry.source)
    return FreshContent(entry.id, Change.CHANGED, before, after, item.title, item.payload, upstream)


def _refreshed(entry: ClaimedEntry, seen: FreshContent) -> ClaimedEntry:
    if seen.title is None or seen.payload is None:
        return replace(entry, change=seen.change.value)
    return replace(
        entry,
        change=seen.change.value,
        title=seen.title,
        payload=dict(seen.payload),
        upstream=seen.upstream,
    )


def _count(reverting: Sequence[Reversal], written: set[int], status: AttemptStatus) -> int:
    return sum(item.status is status and item.entry_id in written for item in reverting)


_IDS = "SELECT external_id FROM entries_entry WHERE id = ANY(%s)"

_IDS_BEHIND = """
SELECT e.external_id
FROM (
    SELECT entry_ids, sum(size) OVER (ORDER BY position) AS so_far FROM retry_run
    WHERE operation_id = %(operation)s AND position > %(position)s AND state = 'queued'
      AND source_id = %(source)s
    ORDER BY position LIMIT 200
) r
CROSS JOIN unnest(r.entry_ids) AS u (id) JOIN entries_entry e ON e.id = u.id
WHERE r.so_far <= %(most)s
"""


def _external_ids(run: Run) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_IDS, [run.entry_ids])
        return [row[0] for row in cursor.fetchall()]


def _external_ids_behind(run: Run) -> list[str]:
    """Of the next runs of the same operation over the same source."""
    params = {
        "operation": run.operation_id,
        "position": run.position,
        "source": run.source_id,
        "most": MOST_ITEMS - run.size,
    }
    with connection.cursor() as cursor:
        cursor.execute(_IDS_BEHIND, params)
        return [row[0] for row in islice(cursor, MOST_ITEMS)]


def _now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment
