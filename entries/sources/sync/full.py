"""Bringing what a source has into the database, a batch at a time, in constant memory."""

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Greatest, Now
from django.utils import timezone

from entries.errors import SourceError
from entries.kinds import registry as kinds
from entries.models import Source
from entries.sources.base import Invalid, Note, Reading, SourceItem
from entries.sources.items import AGAIN, LeftOut
from entries.sources.sync.aliases import settle
from entries.sources.sync.batches import Batch, batches
from entries.sources.sync.calls import build_spec, calling
from entries.sources.sync.lock import attempted
from entries.sources.sync.sample import EACH, Sample
from entries.storage import Presence, compare_entries, upsert_entries
from entries.text import clean_text, scrub


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """After one batch was committed: its new entries, and the counts since the start."""

    created_ids: list[int]
    created: int
    updated: int
    unchanged: int
    invalid: int
    #: How many items the source has in all; None where it cannot know beforehand.
    total: int | None

    @property
    def done(self) -> int:
        return self.created + self.updated + self.unchanged + self.invalid


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a whole sync stored, or a dry run would have stored.

    ``not_modified``: the source said that nothing had changed. ``updated`` also counts what had
    been gone and is there again. ``gone`` counts what is newly so.
    """

    created: int
    updated: int
    unchanged: int
    gone: int = 0
    invalid: int = 0
    not_modified: bool = False
    #: What was left out or looked odd, in words.
    notes: tuple[str, ...] = ()
    #: Of a dry run: some of what would change.
    sample: list[dict[str, Any]] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.created + self.updated + self.unchanged


#: The note of a reading that is not whole.
NOT_WHOLE = "nothing was marked as gone: some of the source could not be read"
#: Of what shows while it is read: the reasons of what was left out have to find room as well.
MAX_NOTES = 5
#: Seconds that a source can ask to be left alone for, as an entry's other side.
MAX_RETRY_AFTER = 3600.0

OnBatch = Callable[[SyncProgress], None]


def sync(source: Source, *, dry_run: bool = False, on_batch: OnBatch | None = None) -> SyncReport:
    """Read ``source`` as it is now, store what is new or changed, and mark what is gone.

    Each batch of up to 1,000 is a transaction of its own; ``on_batch`` is called after each
    commit. Nothing is open while the source is read, so call this outside of a transaction. A
    sync that breaks off loses nothing: the next one reads the whole source again, because the
    validators are only kept after the last batch, and nothing counts as gone before the source
    was read to its end. Where some of it could not be read, nothing counts as gone either, and
    a note says so. Raises ``SourceError``; unless the source was disabled or busy,
    ``last_error`` then says why. ``source`` is brought up to date. A ``dry_run`` counts the
    same and changes nothing.
    """
    with attempted(source.pk) as alone:
        if not alone:
            raise SourceError("sync_running", "the source is being synced already")
        source.refresh_from_db()
        if not source.enabled:
            raise SourceError("disabled", f"the source {source.slug} is disabled")
        try:
            reading = _read(source)
            syncing = _Syncing(source, reading, dry_run=dry_run, on_batch=on_batch)
            report = syncing.run()
        except SourceError as error:
            if not dry_run:
                _keep(source, last_error=clean_text(scrub(str(error)), limit=1_000))
                _leave_alone(source, error.retry_after)
            raise
        if not dry_run:
            _keep_validators(source, reading, whole=syncing.whole)
        return report


def _read(source: Source) -> Reading:
    if source.entry_kind not in kinds.names():
        known = ", ".join(kinds.names())
        raise SourceError(
            "unknown_kind", f"its entries would be {source.entry_kind!r}; there is {known}"
        )
    with calling(source) as kind:
        return kind.read(build_spec(source))


class _Syncing:
    """One reading, on its way into the database."""

    def __init__(
        self, source: Source, reading: Reading, *, dry_run: bool, on_batch: OnBatch | None
    ) -> None:
        self._source = source
        self._reading = reading
        self._dry_run = dry_run
        self._on_batch = on_batch
        self._created = self._updated = self._unchanged = 0
        self._left_out = LeftOut()
        self._sample = Sample()
        self._notes: list[Note] = []
        #: So far: of all that came it is known whose it was.
        self.whole = True

    def run(self) -> SyncReport:
        gone = 0
        if not self._reading.not_modified:
            with Presence.track(self._source.pk) as presence, closing(self._items()) as items:
                for batch in batches(items):
                    self._take(batch, presence)
                gone = self._count_gone(presence) if self.whole else 0
        return SyncReport(
            created=self._created,
            updated=self._updated,
            unchanged=self._unchanged,
            gone=gone,
            invalid=self._left_out.total,
            not_modified=self._reading.not_modified,
            notes=self._said(),
            sample=self._sample.rows,
        )

    def _said(self) -> tuple[str, ...]:
        notes = (*self._reading.notes, *(note.text for note in self._notes), *self._left_out.notes)
        return notes if self.whole else (*notes, NOT_WHOLE)

    def _items(self) -> Generator[SourceItem | Invalid | Note, None, None]:
        """The reading's, with a kind's mistakes told from the database's."""
        items = self._reading.items
        try:
            with calling(self._source):
                yield from items
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()

    def _take(self, batch: Batch, presence: Presence) -> None:
        for invalid in batch.invalid:
            self._left_out.add(invalid)
        self.whole = self.whole and batch.whole
        self._notes += batch.notes[: MAX_NOTES - len(self._notes)]
        with transaction.atomic():
            items: dict[str, SourceItem] = {}
            for item in settle(self._source.pk, list(batch.items.values())):
                items.setdefault(item.external_id, item)
            fresh = presence.see(list(items), unstorable=batch.unstorable)
            again = len(batch.items) - len(fresh)
            if again:
                self._left_out.add(Invalid(AGAIN), count=again)
            created_ids = self._store([item for id_, item in items.items() if id_ in fresh])
        if self._on_batch is not None:
            self._on_batch(self._progress(created_ids))

    def _store(self, items: Iterable[SourceItem]) -> list[int]:
        """The ids of what is new."""
        source = self._source
        if self._dry_run:
            compared = compare_entries(source_id=source.pk, items=items)
            self._sample.add(compared)
            self._created += len(compared.new)
            self._updated += len(compared.changed)
            self._unchanged += compared.unchanged
            return []
        stored = upsert_entries(source_id=source.pk, kind=source.entry_kind, items=items)
        self._created += len(stored.created)
        self._updated += len(stored.updated)
        self._unchanged += stored.unchanged
        return stored.created

    def _count_gone(self, presence: Presence) -> int:
        found = presence.find_gone()
        if not self._dry_run:
            return presence.mark_gone()
        self._sample.add_gone(presence.sample_gone(EACH))
        return found

    def _progress(self, created_ids: list[int]) -> SyncProgress:
        return SyncProgress(
            created_ids=created_ids,
            created=self._created,
            updated=self._updated,
            unchanged=self._unchanged,
            invalid=self._left_out.total,
            total=self._reading.total,
        )


def _keep_validators(source: Source, reading: Reading, *, whole: bool) -> None:
    """Only of a whole reading: what could not be read is asked for again."""
    fields: dict[str, Any] = {"last_error": "", "last_synced_at": timezone.now()}
    if not whole:
        fields |= {"etag": "", "last_modified": ""}
    elif not reading.not_modified:
        fields |= {"etag": reading.etag, "last_modified": reading.last_modified}
    _keep(source, **fields)


def _leave_alone(source: Source, seconds: float | None) -> None:
    """For so long the source is not synced by its interval; whoever asks by hand still may."""
    if not seconds:
        return
    until = Now() + timedelta(seconds=min(seconds, MAX_RETRY_AFTER))
    Source.objects.filter(pk=source.pk, location=source.location).update(
        # PostgreSQL's GREATEST passes over NULL.
        next_sync_at=Greatest("next_sync_at", until)
    )
    source.refresh_from_db(fields=["next_sync_at"])


def _keep(source: Source, **fields: Any) -> None:
    """Only where the source still points there: validators belong to one location."""
    Source.objects.filter(pk=source.pk, location=source.location).update(**fields)
    for name, value in fields.items():
        setattr(source, name, value)
