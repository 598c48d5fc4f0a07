"""One entry, processed by its kind: never raises for what the kind does."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from entries.errors import TimeLimitExceeded, TransientError, UncleanConnection, UnknownKind
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
from entries.transitions import ClaimedEntry, Outcome
from retry.models import Run
from retry.worker.activity import Activity
from retry.worker.kind_connections import KindConnections
from retry.worker.time_limits import TimeLimitHit, disarm, time_limit

logger = logging.getLogger(__name__)

#: A result larger than this, as JSON, is left out with a note that says so: the work is done, and
#: failing the entry would have it done again.
MAX_RESULT_BYTES = 64 * 1024

_LEFT = (
    "process() returned and left {}. What was not committed is rolled back. Use "
    "transaction.atomic(), SET LOCAL and locks of a transaction, or put back what was changed."
)


def process_one(
    entry: ClaimedEntry, *, run: Run, activity: Activity, connections: KindConnections
) -> Outcome:
    """Run the kind's ``process`` under its time limit, while it is lent ``connections``.

    Whatever it raises is the entry's outcome, and so is what it leaves on a connection.
    """
    try:
        kind = registry.get(entry.kind)
    except UnknownKind as error:
        return _failed(entry, error, kind=None, run=run)
    activity.begin(entry.id, seconds=kind.time_limit)
    try:
        with time_limit(kind.time_limit):
            result = kind.process(_entry_data(entry), _attempt_data(entry, run))
        cleaned = _storable(result)
    except TimeLimitHit as hit:
        disarm()
        # The alarm may have struck in the middle of a query: such a connection is of no more use.
        connections.drop()
        return build_timeout_outcome(entry, run=run, hit=hit)
    except BaseException as error:  # noqa: BLE001 - a kind may raise anything
        connections.left()
        return _failed(entry, error, kind=kind, run=run)
    if left := connections.left():
        return _failed(entry, UncleanConnection(_LEFT.format(left)), kind=kind, run=run)
    return Outcome(entry.id, EntryStatus.SUCCEEDED, result=cleaned, upstream=entry.upstream)


def build_timeout_outcome(
    entry: ClaimedEntry, *, run: Run, hit: TimeLimitHit | None = None
) -> Outcome:
    """How an entry ends whose time limit ran out; ``hit`` knows where it was then."""
    kind = registry.get(entry.kind)
    late = TimeLimitExceeded(f"took longer than {kind.time_limit:g} s")
    error = late.with_traceback(hit.__traceback__) if hit else late
    return _failed(entry, error, kind=kind, run=run)


def _storable(result: Mapping[str, Any] | None) -> Mapping[str, Any]:
    try:
        cleaned: Mapping[str, Any] = clean_json(dict(result or {}), max_bytes=MAX_RESULT_BYTES)
    except (NotJSON, NotStorable, TypeError, ValueError) as error:
        return {"left_out": clean_text(error, limit=300)}
    return cleaned


def _failed(entry: ClaimedEntry, error: BaseException, *, kind: Kind | None, run: Run) -> Outcome:
    delay, retries = _judged(entry, error, kind=kind, run=run)
    described = describe_error(error)
    if delay is None and retries:
        # After the fingerprint was made: it is the same group of errors all the same.
        tries = entry.automatic_attempts + 1
        described = replace(described, message=_gave_up(described.message, tries=tries))
    return Outcome(
        entry.id,
        EntryStatus.FAILED if delay is None else EntryStatus.SCHEDULED,
        result=_known(error),
        error=described,
        delay=delay,
        transient=isinstance(error, TransientError),
        upstream=entry.upstream,
    )


def _judged(
    entry: ClaimedEntry, error: BaseException, *, kind: Kind | None, run: Run
) -> tuple[float | None, bool]:
    """The delay until the next automatic retry, and whether there are any for such errors."""
    if kind is None:
        return None, False
    try:
        policy = kind.retry_policy
        return policy.delay(error, used=_used(entry, kind, run)), policy.retries(error)
    except Exception:
        # The kind's own policy, or what its error says when it is asked.
        logger.exception("entry.retry_policy_failed", extra={"entry_id": entry.id})
        return None, False


def _known(error: BaseException) -> Mapping[str, Any] | None:
    try:
        known = getattr(error, "result", None)
        return _storable(known) if isinstance(known, Mapping) else None
    except Exception:  # noqa: BLE001 - it is somebody else's attribute
        return None


def _used(entry: ClaimedEntry, kind: Kind, run: Run) -> int:
    """Automatic retries so far. A probe is tried for all of its kind, and is never the last one."""
    last = max(kind.retry_policy.limit - 1, 0)
    return min(entry.automatic_attempts, last) if run.probe else entry.automatic_attempts


def _gave_up(message: str, *, tries: int) -> str:
    ending = f" (gave up after {tries} attempts)"
    return clean_text(message, limit=MAX_MESSAGE - len(ending)) + ending


def _entry_data(entry: ClaimedEntry) -> EntryData:
    return EntryData(
        id=entry.id,
        kind=entry.kind,
        source=entry.source,
        external_id=entry.external_id,
        title=entry.title,
        payload=entry.payload,
    )


def _attempt_data(entry: ClaimedEntry, run: Run) -> AttemptData:
    return AttemptData(
        number=entry.attempt,
        run_id=str(run.id),
        trigger=str(run.trigger),
        is_rescan=entry.is_rescan,
        change=entry.change,
        idempotency_key=f"redrive-entry-{entry.id}",
    )
