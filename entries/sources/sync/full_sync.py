"""A sync of a whole source: batch by batch into the database, in constant memory."""

from collections.abc import Generator, Sequence
from contextlib import closing
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Greatest, Now
from django.utils import timezone

from entries.errors import SourceError
from entries.kinds import registry as kinds
from entries.models import Source
from entries.sources.base import Invalid, Note, Reading, SourceItem
from entries.sources.items import AGAIN, InvalidCounts
from entries.sources.sync.aliases import settle
from entries.sources.sync.batches import Batch, collect_batches
from entries.sources.sync.calls import build_spec, open_kind
from entries.sources.sync.report import AdoptedFailure, OnAdopted, OnBatch, SyncProgress, SyncReport
from entries.sources.sync.sample import EACH, Sample
from entries.storage import Presence, compare_entries, upsert_entries
from entries.text import clean_text, scrub
from entries.transitions import Adoption, adopt

#: The note of a reading that is not whole.
NOT_WHOLE = "nothing was marked as gone: some of the source could not be read"
#: Of notes that come while the source is read: the reasons of invalid items need room as well.
MAX_NOTES = 5
#: Seconds that ``retry_after`` of a source can be, as for entries.
MAX_RETRY_AFTER = 3600.0


def sync(
    source: Source,
    *,
    dry_run: bool = False,
    on_batch: OnBatch | None = None,
    on_adopted: OnAdopted | None = None,
) -> SyncReport:
    """Read ``source`` as it is now, store what is new or changed, and mark what is gone.

    The caller holds the source's lock and has no transaction open: each batch of up to 1,000 is a
    transaction of its own, and ``on_batch`` is called after each commit. New entries that
    have failed elsewhere are failed at once; ``on_adopted`` is called with them in the transaction.

    A sync that breaks off loses nothing, because the next one reads the whole source again:
    validators are only stored after the last batch, and nothing counts as gone before the source
    was read to its end. Where
    some of it could not be read, nothing counts as gone either, and a note says so.

    Raises ``SourceError``; unless the source is disabled, ``last_error`` then says why. ``source``
    is brought up to date. A ``dry_run`` counts the same and changes nothing.
    """
    source.refresh_from_db()
    if not source.enabled:
        raise SourceError("disabled", f"the source {source.slug} is disabled")
    try:
        reading = _read(source)
        intake = _Intake(source, reading, dry_run=dry_run, on_batch=on_batch, on_adopted=on_adopted)
        report = intake.run()
    except SourceError as error:
        if not dry_run:
            _write(source, last_error=clean_text(scrub(str(error)), limit=1_000))
            _postpone(source, error.retry_after)
        raise
    if not dry_run:
        _write_validators(source, reading, whole=intake.whole)
    return report


def _read(source: Source) -> Reading:
    if source.entry_kind not in kinds.names():
        known = ", ".join(kinds.names())
        raise SourceError(
            "unknown_kind", f"no kind is registered as {source.entry_kind!r}; registered: {known}"
        )
    with open_kind(source) as kind:
        return kind.read(build_spec(source))


class _Intake:
    """Takes one reading into the database."""

    def __init__(
        self,
        source: Source,
        reading: Reading,
        *,
        dry_run: bool,
        on_batch: OnBatch | None,
        on_adopted: OnAdopted | None,
    ) -> None:
        self._source = source
        self._reading = reading
        self._dry_run = dry_run
        self._on_batch = on_batch
        self._on_adopted = on_adopted
        self._created = self._updated = self._unchanged = 0
        self._invalid = InvalidCounts()
        self._sample = Sample()
        self._notes: list[Note] = []
        #: Whether, so far, the entry of each item that came is known.
        self.whole = True

    def run(self) -> SyncReport:
        gone = 0
        if not self._reading.not_modified:
            with Presence.track(self._source.pk) as presence, closing(self._items()) as items:
                for batch in collect_batches(items):
                    self._take(batch, presence)
                gone = self._settle_gone(presence) if self.whole else 0
        return SyncReport(
            created=self._created,
            updated=self._updated,
            unchanged=self._unchanged,
            gone=gone,
            invalid=self._invalid.total,
            not_modified=self._reading.not_modified,
            notes=self._list_notes(),
            sample=self._sample.rows,
        )

    def _list_notes(self) -> tuple[str, ...]:
        notes = (*self._reading.notes, *(note.text for note in self._notes), *self._invalid.notes)
        return notes if self.whole else (*notes, NOT_WHOLE)

    def _items(self) -> Generator[SourceItem | Invalid | Note, None, None]:
        """Yield the reading's items; mistakes of the kind come out as ``SourceError``."""
        items = self._reading.items
        try:
            with open_kind(self._source):
                yield from items
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()

    def _take(self, batch: Batch, presence: Presence) -> None:
        for invalid in batch.invalid:
            self._invalid.add(invalid)
        self.whole = self.whole and batch.whole
        self._notes += batch.notes[: MAX_NOTES - len(self._notes)]
        with transaction.atomic():
            items: dict[str, SourceItem] = {}
            for item in settle(self._source.pk, list(batch.items.values())):
                items.setdefault(item.external_id, item)
            fresh = presence.see(list(items), unstorable=batch.unstorable)
            again = len(batch.items) - len(fresh)
            if again:
                self._invalid.add(Invalid(AGAIN), count=again)
            created_ids = self._store([item for id_, item in items.items() if id_ in fresh])
        if self._on_batch is not None:
            self._on_batch(self._progress(created_ids))

    def _store(self, items: Sequence[SourceItem]) -> list[int]:
        """Store items, or compare them in a dry run; return the ids of new entries to be queued."""
        source = self._source
        # A failure does not change at its source; its payload may have been repaired here.
        keep = {item.external_id for item in items if item.failure is not None}
        if self._dry_run:
            compared = compare_entries(source_id=source.pk, items=items, keep=keep)
            self._sample.add(compared)
            self._created += len(compared.new)
            self._updated += len(compared.changed)
            self._unchanged += compared.unchanged
            return []
        stored = upsert_entries(source_id=source.pk, kind=source.entry_kind, items=items, keep=keep)
        self._created += len(stored.created)
        self._updated += len(stored.updated)
        self._unchanged += stored.unchanged
        adopted = self._adopt(items) if stored.created else set()
        return [id_ for id_ in stored.created if id_ not in adopted]

    def _adopt(self, items: Sequence[SourceItem]) -> set[int]:
        """Mark those failed that have failed elsewhere; return their ids."""
        failed = {item.external_id: item.failure for item in items if item.failure is not None}
        if not failed:
            return set()
        adoptions = [
            Adoption(
                id_,
                failure.error,
                queued_at=failure.queued_at,
                started_at=failure.started_at,
                failed_at=failure.failed_at,
                worker=failure.worker,
            )
            for id_, failure in failed.items()
        ]
        moved = adopt(adoptions, source_id=self._source.pk)
        if self._on_adopted is not None and moved:
            self._on_adopted([AdoptedFailure(e, failed[e.external_id].error) for e in moved])
        return {entry.id for entry in moved}

    def _settle_gone(self, presence: Presence) -> int:
        found = presence.find_gone()
        if not self._dry_run:
            return presence.mark_gone()
        self._sample.add_gone(presence.read_sample(EACH))
        return found

    def _progress(self, created_ids: list[int]) -> SyncProgress:
        return SyncProgress(
            created_ids=created_ids,
            created=self._created,
            updated=self._updated,
            unchanged=self._unchanged,
            invalid=self._invalid.total,
            total=self._reading.total,
        )


def _write_validators(source: Source, reading: Reading, *, whole: bool) -> None:
    """Store them for a whole reading only: what could not be read is then fetched again."""
    fields: dict[str, Any] = {"last_error": "", "last_synced_at": timezone.now()}
    if not whole:
        fields |= {"etag": "", "last_modified": ""}
    elif not reading.not_modified:
        fields |= {"etag": reading.etag, "last_modified": reading.last_modified}
    _write(source, **fields)


def _postpone(source: Source, seconds: float | None) -> None:
    """Let the interval start no sync for so long; requests are accepted all the same."""
    if not seconds:
        return
    until = Now() + timedelta(seconds=min(seconds, MAX_RETRY_AFTER))
    Source.objects.filter(pk=source.pk, location=source.location).update(
        # PostgreSQL's GREATEST passes over NULL.
        next_sync_at=Greatest("next_sync_at", until)
    )
    source.refresh_from_db(fields=["next_sync_at"])


def _write(source: Source, **fields: Any) -> None:
    """Write only while the source has the same location: validators belong to one."""
    Source.objects.filter(pk=source.pk, location=source.location).update(**fields)
    for name, value in fields.items():
        setattr(source, name, value)
