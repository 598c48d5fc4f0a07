"""Processing claimed entries, each by its kind."""

import logging
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from types import TracebackType
from typing import Any
from uuid import UUID

from entries.errors import TimeLimitExceeded, TransientError, UncleanConnection, UnknownKind
from entries.kinds import registry
from entries.kinds.base import AttemptData, EntryData, Kind, RetryPolicy
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
from retry.worker.time_limits import Alarm, SignalAlarm, TimeLimitHit, handle_alarms

logger = logging.getLogger(__name__)

#: Outcomes of cheap entries are recorded together, at most this long after they happened.
FLUSH_SECONDS = 0.25
#: A larger result (as JSON) is replaced by a note: failing would repeat work that is done.
MAX_RESULT_BYTES = 64 * 1024

_LEFTOVERS = (
    "process() returned and left {}. What was not committed is rolled back. Use "
    "transaction.atomic(), SET LOCAL and locks of a transaction, or put back what was changed."
)


def process(
    entries: Sequence[ClaimedEntry], *, run: Run, activity: Activity, connections: KindConnections
) -> Iterator[list[Outcome]]:
    """Process entries in order, yielding their outcomes each time some are due to be recorded.

    What was yielded must be recorded before the next is asked for.
    """
    left, alarm = deque(entries), SignalAlarm()
    while left:
        began = time.monotonic()
        outcomes: list[Outcome] = []
        with connections.lend(), handle_alarms():
            while left and (not outcomes or time.monotonic() - began <= FLUSH_SECONDS):
                entry = left.popleft()
                activity.begin(entry.id, seconds=_find_time_limit(entry.kind))
                outcomes.append(process_one(entry, run=run, alarm=alarm, connections=connections))
                activity.end(entry.id)
        yield outcomes
        activity.forget([outcome.entry_id for outcome in outcomes])


def process_one(
    entry: ClaimedEntry, *, run: Run, alarm: Alarm, connections: KindConnections
) -> Outcome:
    """Run the kind's ``process`` under its time limit and return how the attempt ended.

    Never raises for what the kind does: an error becomes the outcome, and so does anything that
    was left open on ``connections``, which must be lent.
    """
    began = time.perf_counter()
    outcome = _process(entry, run=run, alarm=alarm, connections=connections, began=began)
    if outcome.error is None:
        return outcome
    return outcome._replace(seconds=time.perf_counter() - began)


def _process(
    entry: ClaimedEntry, *, run: Run, alarm: Alarm, connections: KindConnections, began: float
) -> Outcome:
    try:
        kind = registry.get(entry.kind)
    except UnknownKind as error:
        return _build_failure(entry, error, kind=None, run=run)
    try:
        with alarm.limit(kind.time_limit):
            result = kind.process(_as_entry_data(entry), _as_attempt_data(entry, run))
        cleaned = _clean_result(result)
    except TimeLimitHit as hit:
        alarm.disarm()
        # The alarm may have interrupted a query, which leaves the connection unusable.
        connections.drop()
        return build_timeout_outcome(entry, run=run, traceback=hit.__traceback__)
    except BaseException as error:  # noqa: BLE001 - a kind may raise anything
        connections.find_leftovers()
        return _build_failure(entry, error, kind=kind, run=run)
    if leftovers := connections.find_leftovers():
        unclean = UncleanConnection(_LEFTOVERS.format(leftovers))
        return _build_failure(entry, unclean, kind=kind, run=run)
    return Outcome(
        entry.id,
        EntryStatus.SUCCEEDED,
        result=cleaned,
        upstream=entry.upstream,
        seconds=time.perf_counter() - began,
    )


def build_timeout_outcome(
    entry: ClaimedEntry, *, run: Run, traceback: TracebackType | None = None
) -> Outcome:
    """Build the outcome of an entry whose time limit ran out; ``traceback``: where it was then."""
    kind = registry.get(entry.kind)
    late = TimeLimitExceeded(f"took longer than {kind.time_limit:g} s")
    outcome = _build_failure(entry, late.with_traceback(traceback), kind=kind, run=run)
    return outcome._replace(seconds=kind.time_limit)


def _find_time_limit(kind: str) -> float:
    found = registry.find(kind)
    return found.time_limit if found else Kind.time_limit  # of an unknown kind all fail at once


def _clean_result(result: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if not result:
        return {}
    try:
        cleaned: Mapping[str, Any] = clean_json(dict(result), max_bytes=MAX_RESULT_BYTES)
    except (NotJSON, NotStorable, TypeError, ValueError) as error:
        return {"left_out": clean_text(error, limit=300)}
    return cleaned


def _build_failure(
    entry: ClaimedEntry, error: BaseException, *, kind: Kind | None, run: Run
) -> Outcome:
    delay, retries = _plan_retry(entry, error, kind=kind, run=run)
    described = describe_error(error)
    if delay is None and retries:
        # After the fingerprint was made, so that the entry stays in its group of errors.
        tries = entry.automatic_attempts + 1
        described = replace(described, message=_add_tries(described.message, tries=tries))
    return Outcome(
        entry.id,
        EntryStatus.FAILED if delay is None else EntryStatus.SCHEDULED,
        result=_read_result(error),
        error=described,
        delay=delay,
        transient=isinstance(error, TransientError),
        upstream=entry.upstream,
    )


def _plan_retry(
    entry: ClaimedEntry, error: BaseException, *, kind: Kind | None, run: Run
) -> tuple[float | None, bool]:
    """Return the seconds until the next automatic retry, and whether such errors are retried."""
    if kind is None:
        return None, False
    try:
        policy = kind.find_retry_policy(entry.payload)
        return policy.delay(error, used=_count_retries(entry, policy, run)), policy.retries(error)
    except Exception:
        # Both the policy and the error belong to the kind, and either may raise.
        logger.exception("entry.retry_policy_failed", extra={"entry_id": entry.id})
        return None, False


def _read_result(error: BaseException) -> Mapping[str, Any] | None:
    try:
        result = getattr(error, "result", None)
        return _clean_result(result) if isinstance(result, Mapping) else None
    except Exception:  # noqa: BLE001 - the attribute may belong to any library
        return None


def _count_retries(entry: ClaimedEntry, policy: RetryPolicy, run: Run) -> int:
    # A probe tests the upstream for all other entries, and so never uses up the last retry.
    last = max(policy.limit - 1, 0)
    return min(entry.automatic_attempts, last) if run.probe else entry.automatic_attempts


def _add_tries(message: str, *, tries: int) -> str:
    ending = f" (gave up after {tries} attempts)"
    return clean_text(message, limit=MAX_MESSAGE - len(ending)) + ending


def _as_entry_data(entry: ClaimedEntry) -> EntryData:
    return EntryData(
        id=entry.id,
        kind=entry.kind,
        source=entry.source,
        external_id=entry.external_id,
        title=entry.title,
        payload=entry.payload,
    )


def _as_attempt_data(entry: ClaimedEntry, run: Run) -> AttemptData:
    return AttemptData(
        number=entry.attempt,
        run_id=_format_id(run.id),
        trigger=str(run.trigger),
        is_rescan=entry.is_rescan,
        change=entry.change,
        idempotency_key=f"redrive-entry-{entry.id}",
    )


@lru_cache(maxsize=64)
def _format_id(run_id: UUID) -> str:
    """For hundreds of entries of a run; formatting takes as long as a cheap entry."""
    return str(run_id)
