"""The entries of a scenario: making, retrying and checking them."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection

from entries.filters import EntryFilter
from entries.kinds.upstreams import derive_upstream
from entries.models import Attempt, Entry
from entries.sources.base import SourceItem
from entries.states import EntryStatus
from retry import service
from retry.models import Action, Operation
from retry.operations import control
from retry.operations.pace import Pace
from retry.operations.selection import Selection
from retry.outcomes import Actor
from retry.submission import submit

PERSON = Actor.command("faults")
OPEN = ("pending", "queued", "running")


def push(kind: str, payloads: Iterable[Mapping[str, Any]], *, prefix: str = "e") -> list[int]:
    """Store and queue entries as a pipeline does; return their ids."""
    items = [
        SourceItem(f"{prefix}-{number}", f"Entry {number}", dict(payload))
        for number, payload in enumerate(payloads)
    ]
    ids: list[int] = []
    for place in range(0, len(items), 1000):
        outcome = submit(items[place : place + 1000], kind=kind, actor=PERSON)
        ids += [item.entry_id for item in outcome.items if item.entry_id is not None]
    return ids


def make_failed(
    kind: str, payloads: Iterable[Mapping[str, Any]], *, prefix: str = "f"
) -> list[int]:
    """Make entries that failed long ago, without executions in the ledger; return their ids."""
    rows = [
        Entry(
            kind=kind,
            external_id=f"{prefix}-{number}",
            title=f"Entry {number}",
            payload=dict(payload),
            upstream=derive_upstream(kind, payload, source=None),
            status="failed",
            attempt=1,
            error_class="RuntimeError",
            error_message="it broke",
            fingerprint="1-x",
            failed_at="2026-01-01T00:00:00Z",
        )
        for number, payload in enumerate(payloads)
    ]
    made = Entry.objects.bulk_create(rows, batch_size=1000)
    return [entry.pk for entry in made]


def retry_all(ids: Iterable[int], **pace: Any) -> Operation:
    return control.start(
        Selection(ids=tuple(ids)), action=Action.RETRY, actor=PERSON, pace=Pace(**pace)
    )


def retry_kind(kind: str, **pace: Any) -> Operation:
    """Retry all failed entries of a kind."""
    chosen = Selection(filter=EntryFilter(status=EntryStatus.FAILED, kind=kind))
    return control.start(chosen, action=Action.RETRY, actor=PERSON, pace=Pace(**pace))


def click(entry_id: int) -> None:
    service.retry_entry(entry_id, actor=PERSON)


def is_at_rest(ids: Iterable[int] | None = None) -> bool:
    entries = Entry.objects.filter(status__in=OPEN)
    return not (entries if ids is None else entries.filter(pk__in=list(ids))).exists()


def count_status(status: str) -> int:
    return Entry.objects.filter(status=status).count()


def count_lost_attempts(ids: Iterable[int]) -> int:
    return Attempt.objects.filter(entry_id__in=list(ids), status="lost").count()


def reconnect() -> None:
    connection.close()
