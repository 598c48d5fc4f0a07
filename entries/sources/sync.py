"""Bringing what a source has into the database, a batch at a time."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from entries.errors import SourceError, UnknownSourceKind
from entries.kinds import registry as kinds
from entries.models import Source
from entries.sources import registry
from entries.sources.base import Reading, SourceItem, SourceSpec
from entries.sources.items import Sieve
from entries.text import clean_text, describe_error, scrub
from entries.transitions import upsert_entries

BATCH = 1_000


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """After one batch was committed: its new entries, and the counts since the start."""

    created_ids: list[int]
    created: int
    updated: int
    unchanged: int
    #: How many items the source has in all; None where it cannot know beforehand.
    total: int | None

    @property
    def done(self) -> int:
        return self.created + self.updated + self.unchanged


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a whole sync stored. ``not_modified``: the source said that nothing had changed."""

    created_ids: list[int]
    created: int
    updated: int
    unchanged: int
    not_modified: bool = False
    #: What was left out or looked odd, in words.
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        return self.created + self.updated + self.unchanged


def sync(source: Source, *, on_batch: Callable[[SyncProgress], None] | None = None) -> SyncReport:
    """Read ``source`` as it is now and store what is new or changed.

    Each batch of 1,000 is a transaction of its own; ``on_batch`` is called after each commit.
    Nothing is open while the source is read, so call this outside of a transaction. A sync that
    breaks off loses nothing: the next one reads the whole source again, because the validators are
    only kept after the last batch. Raises ``SourceError``; unless the source was disabled or busy,
    ``last_error`` then says why, and nothing else has changed. ``source`` is brought up to date.
    """
    with _alone(source.pk):
        source.refresh_from_db()
        if not source.enabled:
            raise SourceError("disabled", f"the source {source.slug} is disabled")
        spec = spec_of(source)
        try:
            reading = _read(source, spec)
            report = _store(source, reading, on_batch)
        except SourceError as error:
            _keep(source, last_error=clean_text(scrub(str(error)), limit=1_000))
            raise
        if reading.not_modified:
            _keep(source, last_error="", last_synced_at=timezone.now())
        else:
            _keep(
                source,
                last_error="",
                last_synced_at=timezone.now(),
                etag=reading.etag,
                last_modified=reading.last_modified,
            )
        return report


def spec_of(source: Source) -> SourceSpec:
    return SourceSpec(
        slug=source.slug,
        location=source.location,
        options=source.options,
        etag=source.etag,
        last_modified=source.last_modified,
    )


def _read(source: Source, spec: SourceSpec) -> Reading:
    if source.entry_kind not in kinds.names():
        known = ", ".join(kinds.names())
        raise SourceError(
            "unknown_kind", f"its entries would be {source.entry_kind!r}; there is {known}"
        )
    if not isinstance(spec.options, dict):
        raise SourceError("invalid_options", "the options must be a JSON object")
    try:
        return registry.get(source.kind).read(spec)
    except UnknownSourceKind as error:
        raise SourceError("unknown_kind", str(error)) from error
    except SourceError:
        raise
    except Exception as error:
        # A mistake in somebody's source kind: staff should see that it is not the source.
        info = describe_error(error)
        message = f"the source kind {source.kind} broke with {info.error_class}: {info.message}"
        raise SourceError("broken_kind", message) from error


def _store(
    source: Source, reading: Reading, on_batch: Callable[[SyncProgress], None] | None
) -> SyncReport:
    created_ids: list[int] = []
    updated = unchanged = 0
    sieve = Sieve()
    for batch in _batches(sieve.pass_on(reading.items)):
        with transaction.atomic():
            stored = upsert_entries(source_id=source.pk, kind=source.entry_kind, items=batch)
        created_ids += stored.created
        updated += len(stored.updated)
        unchanged += stored.unchanged
        if on_batch is not None:
            on_batch(
                SyncProgress(stored.created, len(created_ids), updated, unchanged, reading.total)
            )
    return SyncReport(
        created_ids,
        len(created_ids),
        updated,
        unchanged,
        not_modified=reading.not_modified,
        notes=(*reading.notes, *sieve.notes),
    )


def _batches(items: Iterable[SourceItem]) -> Iterator[list[SourceItem]]:
    rest = iter(items)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _keep(source: Source, **fields: Any) -> None:
    """Only where the source still points there: validators belong to one location."""
    Source.objects.filter(pk=source.pk, location=source.location).update(**fields)
    for name, value in fields.items():
        setattr(source, name, value)


@contextmanager
def _alone(source_id: int) -> Iterator[None]:
    """One sync of a source at a time, by a lock of the session: it needs no open transaction.

    It goes with the connection, so a killed process does not leave it behind.
    """
    digest = hashlib.blake2b(b"redrive.sync:%d" % source_id, digest_size=8).digest()
    key = int.from_bytes(digest, signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        row = cursor.fetchone()
    if row is None or not row[0]:
        raise SourceError("sync_running", "the source is being synced already")
    try:
        yield
    finally:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
        except DatabaseError:
            connection.close()
