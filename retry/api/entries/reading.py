"""Entries and status as the API shows them."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from entries.filters import EntryFilter
from entries.models import Attempt, Entry
from retry import status as desk
from retry.access.permissions import VIEW_HOLD
from retry.access.visibility import visible_counts, visible_entries
from retry.api.http.schemas import (
    MAX_ID,
    AttemptDetail,
    DispatcherStatus,
    EntryDetail,
    EntryError,
    EntryPage,
    EntryQuery,
    EntrySummary,
    StandingHold,
    StatusResponse,
    WorkerStatus,
)
from retry.errors import EntryNotFound
from retry.models import Hold
from retry.operations.selection import check_names
from retry.outcomes import Actor

_ATTEMPTS = 100
#: A search for a few letters may have to look at every entry; nobody waits longer than this for it.
SEARCH_SECONDS = 5.0


def entry_page(query: EntryQuery, *, actor: Actor) -> EntryPage:
    """Newest first, by keyset: no page gets slower the further one reads.

    Raises ``NoSuchSource`` and ``NoSuchKind``.
    """
    chosen = _filter(query)
    check_names(chosen)
    found = visible_entries(actor).select_related("source").defer("payload", "result")
    found = found.filter(chosen.condition())
    if query.cursor is not None:
        found = found.filter(pk__lt=query.cursor)
    with _bounded(SEARCH_SECONDS):
        rows = list(found.order_by("-id")[: query.limit + 1])
    page, more = rows[: query.limit], len(rows) > query.limit
    return EntryPage(
        results=[EntrySummary.model_validate(_summary(entry)) for entry in page],
        next_cursor=str(page[-1].pk) if more else None,
    )


def _filter(query: EntryQuery) -> EntryFilter:
    return EntryFilter(**query.model_dump(exclude={"cursor", "limit"}))


def entry_detail(entry_id: int, *, actor: Actor) -> EntryDetail:
    """Raises ``EntryNotFound``, also for what the actor may not see."""
    # A path may hold a number that no column can.
    entry = (
        visible_entries(actor).select_related("source").filter(pk=entry_id).first()
        if entry_id <= MAX_ID
        else None
    )
    if entry is None:
        raise EntryNotFound(entry_id)
    attempts = entry.attempts.order_by("-number")[:_ATTEMPTS]
    return EntryDetail.model_validate(
        _summary(entry)
        | {
            "payload": entry.payload,
            "result": entry.result,
            "attempts": [_attempt(attempt) for attempt in attempts],
        }
    )


def status(actor: Actor) -> StatusResponse:
    """Nothing is counted that the actor may not see."""
    found = desk.read()
    beat = found.heartbeat
    return StatusResponse(
        entries=visible_counts(found.entries, actor=actor),
        queues=found.queues,
        workers=[WorkerStatus.of(worker) for worker in found.workers],
        dispatcher=DispatcherStatus(
            alive=found.dispatcher_alive,
            beat_at=beat.beat_at if beat else None,
            host=beat.host if beat else None,
            pid=beat.pid if beat else None,
        ),
        undispatched=found.undispatched,
        oldest_queued_at=found.oldest_queued_at,
        waits={name: wait.total_seconds() for name, wait in found.waits.items()},
        redis=found.redis,
        holds=[_hold(hold, actor) for hold in found.holds],
    )


def _hold(hold: Hold, actor: Actor) -> StandingHold:
    """Why it stands is for who may see holds."""
    told = StandingHold.of(hold)
    return told if actor.may(VIEW_HOLD) else told.model_copy(update={"reason": ""})


@contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    """PostgreSQL gives up after ``seconds``, which is a ``psycopg`` ``QueryCanceled``."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('statement_timeout', %s, true)", [f"{seconds * 1000:.0f}ms"]
        )
        yield


def _summary(entry: Entry) -> dict[str, object]:
    return {
        "id": entry.pk,
        "kind": entry.kind,
        "source": entry.source.slug if entry.source else None,
        "upstream": entry.upstream,
        "external_id": entry.external_id,
        "title": entry.title,
        "status": entry.status,
        "attempt": entry.attempt,
        "error": _error(entry),
        "failed_at": entry.failed_at,
        "next_attempt_at": entry.next_attempt_at if entry.status == "scheduled" else None,
        "gone_at": entry.gone_at,
        "created_at": entry.created_at,
        "updated_at": entry.updated_at,
    }


def _attempt(attempt: Attempt) -> AttemptDetail:
    return AttemptDetail(
        number=attempt.number,
        run_id=attempt.run_id,
        status=attempt.status,
        is_rescan=attempt.is_rescan,
        change=attempt.change,
        hash_before=attempt.hash_before,
        hash_after=attempt.hash_after,
        previous_status=attempt.previous_status,
        queued_at=attempt.queued_at,
        started_at=attempt.started_at,
        ended_at=attempt.ended_at,
        worker=attempt.worker,
        error=_error(attempt),
        traceback=attempt.traceback,
        result=attempt.result,
    )


def _error(row: Entry | Attempt) -> EntryError | None:
    if not row.error_class:
        return None
    return EntryError(
        class_=row.error_class, message=row.error_message, fingerprint=row.fingerprint
    )
