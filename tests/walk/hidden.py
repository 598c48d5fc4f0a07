"""A world of one source, in which everything is marked: nothing of it may be shown to others."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from entries.models import Entry, Source
from retry.models import (
    AuditEvent,
    ErrorGroup,
    Hold,
    Import,
    Operation,
    Run,
    SavedView,
    Subscription,
    Sync,
    WorkerHeartbeat,
)
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.counts import add_count
from tests.support.error_groups import note_failures
from tests.support.hiding import hide_source

WORD = "xqzv"
#: Ids begin so; the hexadecimal one is of runs, operations and imports.
NUMBER, HEX = 987_654_000, 0xDEADBEEF << 96
MARKS = re.compile(rf"{WORD}|{NUMBER // 1000}\d\d\d|deadbeef", re.IGNORECASE)
#: The fingerprint of failures that there are here and in what is seen.
SHARED = "1-shared"
STATUSES = ("failed", "scheduled", "queued", "running", "succeeded", "discarded")


def normalise(text: str) -> str:
    """The text of a page or a call without what time changes."""
    text = re.sub(r"\b(just now|now|an? (second|minute) ago)\b", "T ago", text)
    text = re.sub(r"\b\d+(\.\d+)? ?(s|seconds?|minutes?|min)\b", "T", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT?[ ]?\d\d:\d\d[:.\d]*(Z|\+00:00)?", "T", text)
    text = re.sub(r"\b\d\d:\d\d(:\d\d)?\b", "T", text)
    text = re.sub(r"\b\d+\.\d{3,}\b", "T", text)  # seconds that something has waited
    return re.sub(r"\b[0-9a-f]{16,}\b", "H", text)


def _number(place: int) -> int:
    return NUMBER + place


def _uuid(place: int) -> UUID:
    return UUID(int=HEX + place)


def add_hidden_world(shared: str) -> dict[str, Any]:
    """Make a source that belongs to a group, and something of every kind that is about it.

    ``shared``: the fingerprint of failures that others have as well. Returns what there is by the
    names that ``populate`` has.
    """
    source = SourceFactory.create(
        id=_number(1),
        slug=f"{WORD}-source",
        name=f"{WORD} name",
        location=f"http://{WORD}.example/atom",
        last_error=f"{WORD} refused the connection",
    )
    hide_source(source)
    entries = _add_entries(source, shared)
    operation = _add_work(source, entries)
    sync = Sync.objects.create(
        id=_number(2),
        source=source,
        state="failed",
        error_code="unreachable",
        error=f"{WORD} is away",
        notes=[f"{WORD} note"],
        sample=[{"external_id": WORD, "title": WORD, "what": "new", "changes": []}],
        reason=f"{WORD} reason",
        created=7_777,
    )
    imported = Import.objects.create(
        id=_uuid(900),
        source=source,
        state="succeeded",
        dry_run=True,
        kind="page",
        file_name=f"{WORD}.csv",
        file_format="csv",
        reason=WORD,
        created=7_777,
    )
    hold = Hold.objects.create(id=_number(3), source=source, reason=WORD, actor_label=WORD)
    Hold.objects.create(
        id=_number(4), kind="page", upstream=f"{WORD}.example", reason=WORD, actor_label=WORD
    )
    SavedView.objects.create(
        id=_number(5), name=f"{WORD} view", filter={"source": source.slug}, shared=True
    )
    Subscription.objects.create(  # for all
        id=_number(7), events=["source_failing"], channel="mail", address=f"{WORD}@desk.example"
    )
    group = _add_groups(source, shared, entries[0])
    event = _add_events(source, entries[0], operation)
    return {
        "entries_source": source,
        "entries_entry": entries[0],
        "retry_run": operation.runs.first(),
        "retry_operation": operation,
        "retry_errorgroup": group,
        "retry_sync": sync,
        "retry_import": imported,
        "retry_hold": hold,
        "retry_auditevent": event,
    }


def _add_entries(source: Source, shared: str) -> list[Entry]:
    def add(place: int, **values: Any) -> Entry:
        entry: Entry = EntryFactory.create(
            id=_number(100 + place),
            source=source,
            external_id=f"{WORD}-{place}",
            title=f"{WORD} title",
            payload={"url": f"http://{WORD}.example/{place}", WORD: WORD},
            upstream=f"{WORD}.example",
            **values,
        )
        return entry

    error = {"error_class": f"{WORD}Error", "error_message": f"{WORD} failed", "failed": True}
    alike = [add(place, fingerprint=f"1-{WORD}", **error) for place in range(3)]
    others = [add(10 + place, **{name: True}) for place, name in enumerate(STATUSES[1:])]
    later = timezone.now() + timedelta(minutes=1)
    return [*alike, *others, add(20, fingerprint=shared, failed_at=later, **error)]


def _add_work(source: Source, entries: list[Entry]) -> Operation:
    operation = Operation.objects.create(
        id=_uuid(1),
        action="retry",
        actor_label=WORD,
        reason=f"{WORD} reason",
        selection={"filter": {"source": source.slug}},
        selection_words=f"source {source.slug}",
        source_ids=[source.pk],
        total=7_777,
        state="running",
        started_at=timezone.now(),
        pause_reason=WORD,
    )
    values: dict[str, Any] = {
        "trigger": "bulk_retry",
        "actor_label": WORD,
        "reason": f"{WORD} reason",
        "kind": "page",
        "source": source,
        "entry_ids": [entry.pk for entry in entries],
        "size": 7_777,
        "failed": 7_777,
        "queue": "bulk",
    }
    Run.objects.create(id=_uuid(2), operation=operation, state="finished", **values)
    later = timezone.now() + timedelta(hours=1)
    run = Run.objects.create(
        id=_uuid(3), state="running", lease_expires_at=later, worker="w", **values
    )
    WorkerHeartbeat.objects.update(job_id=f"entry-{entries[0].pk}-1-deadbeef", run_id=run.pk)
    return operation


def _add_groups(source: Source, shared: str, sample: Entry) -> ErrorGroup:
    about: dict[str, Any] = {
        "error_class": f"{WORD}Error",
        "message": f"{WORD} failed",
        "source_id": source.pk,
        "upstreams": (f"{WORD}.example",),
        "sample_entry_id": sample.pk,
        "count": 777,
    }
    note_failures(shared, **about)
    group = note_failures(f"1-{WORD}", **about)
    ErrorGroup.objects.filter(pk=group.pk).update(id=_number(6), note=f"{WORD} note")
    for fingerprint in (shared, f"1-{WORD}"):
        add_count(
            777,
            at=timezone.now(),
            fingerprint=fingerprint,
            kind="page",
            source_id=source.pk,
            upstream=f"{WORD}.example",
        )
    return ErrorGroup.objects.get(pk=_number(6))


def _add_events(source: Source, entry: Entry, operation: Operation) -> AuditEvent:
    abouts: tuple[dict[str, Any], ...] = (
        {"entry_id": entry.pk},
        {"run_id": _uuid(2)},
        {"source_id": source.pk},
        {"operation_id": operation.pk},
        {"subject": f"retry.errorgroup:{_number(6)}"},
        {},
    )
    for place, about in enumerate(abouts):
        AuditEvent.objects.create(
            id=_number(200 + place),
            verb="retry",
            actor_label=WORD,
            channel="api",
            count=7_777,
            reason=f"{WORD} reason",
            before={WORD: WORD},
            **about,
        )
    return AuditEvent.objects.get(pk=_number(200))
