"""One entry, processed by its kind: never raises for what the kind does."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.db import connections

from entries.errors import TimeLimitExceeded, TransientError, UnknownKind
from entries.kinds import registry
from entries.kinds.base import AttemptData, EntryData, Kind
from entries.states import EntryStatus
from entries.text import (
    MAX_MESSAGE,
    NotJSON,
    NotStorable,
    clean_json,
    clean_text,
    describe_error,
)
from entries.transitions import Claimed, Ending
from retry.models import Run
from retry.time_limits import TimeLimitHit, disarm, time_limit

#: A result larger than this, as JSON, is left out with a note that says so: the work is done, and
#: failing the entry would have it done again.
MAX_RESULT_BYTES = 64 * 1024


def process_one(entry: Claimed, *, run: Run) -> Ending:
    """Run the kind's ``process`` under its time limit; never raises for what the kind does."""
    try:
        kind = registry.get(entry.kind)
    except UnknownKind as error:
        return _failed(entry, error, kind=None, run=run)
    try:
        with time_limit(kind.time_limit):
            result = kind.process(_entry_data(entry), _attempt_data(entry, run))
        cleaned = _storable(result)
    except TimeLimitHit as hit:
        disarm()
        # The alarm may have struck in the middle of a query: such a connection is of no more use.
        connections.close_all()
        late = TimeLimitExceeded(f"took longer than {kind.time_limit:g} s")
        return _failed(entry, late.with_traceback(hit.__traceback__), kind=kind, run=run)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a kind may raise anything
        _leave_no_transaction()
        return _failed(entry, error, kind=kind, run=run)
    return Ending(entry.id, EntryStatus.SUCCEEDED, result=cleaned, upstream=entry.upstream)


def _storable(result: Mapping[str, Any] | None) -> Mapping[str, Any]:
    try:
        cleaned: Mapping[str, Any] = clean_json(dict(result or {}), max_bytes=MAX_RESULT_BYTES)
    except (NotJSON, NotStorable, TypeError, ValueError) as error:
        return {"left_out": clean_text(error, limit=300)}
    return cleaned


def _failed(entry: Claimed, error: BaseException, *, kind: Kind | None, run: Run) -> Ending:
    delay = kind.retry_policy.delay(error, used=_used(entry, kind, run)) if kind else None
    described = describe_error(error)
    if delay is None and kind is not None and kind.retry_policy.retries(error):
        # After the fingerprint was made: it is the same group of errors all the same.
        tries = entry.automatic_attempts + 1
        described = replace(described, message=_gave_up(described.message, tries=tries))
    known = getattr(error, "result", None)
    return Ending(
        entry.id,
        EntryStatus.FAILED if delay is None else EntryStatus.SCHEDULED,
        result=_storable(known) if isinstance(known, Mapping) else None,
        error=described,
        delay=delay,
        transient=isinstance(error, TransientError),
        upstream=entry.upstream,
    )


def _used(entry: Claimed, kind: Kind, run: Run) -> int:
    """Automatic retries so far. A probe is tried for all of its kind, and is never the last one."""
    last = max(kind.retry_policy.limit - 1, 0)
    return min(entry.automatic_attempts, last) if run.probe else entry.automatic_attempts


def _gave_up(message: str, *, tries: int) -> str:
    ending = f" (gave up after {tries} attempts)"
    return clean_text(message, limit=MAX_MESSAGE - len(ending)) + ending


def _entry_data(entry: Claimed) -> EntryData:
    return EntryData(
        id=entry.id,
        kind=entry.kind,
        source=entry.source,
        external_id=entry.external_id,
        title=entry.title,
        payload=entry.payload,
    )


def _attempt_data(entry: Claimed, run: Run) -> AttemptData:
    return AttemptData(
        number=entry.attempt,
        run_id=str(run.id),
        trigger=str(run.trigger),
        is_rescan=entry.is_rescan,
        change=entry.change,
        idempotency_key=f"redrive-entry-{entry.id}",
    )


def _leave_no_transaction() -> None:
    """Whatever a kind left open on our connection is rolled back by closing it."""
    for connection in connections.all(initialized_only=True):
        if connection.in_atomic_block or not connection.get_autocommit():
            connection.close()
        else:
            connection.close_if_unusable_or_obsolete()
