"""A worker's way through one run.

Nothing here trusts that the run is still ours: every write is fenced by the run id, and what the
statement returns decides.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connections, transaction

from entries import transitions
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
from retry.interruption import Interruption
from retry.lease import Lease
from retry.lingering import claim_next
from retry.models import Run, Trigger
from retry.outcomes import Actor
from retry.runs import Counted, Handing, Placed, claim_run, create_runs, end_run, tally
from retry.time_limits import TimeLimitHit, disarm, time_limit

logger = logging.getLogger(__name__)

#: Set by the worker when it is asked to stop: the entry at hand is finished, the rest handed on.
shutdown = threading.Event()

#: Outcomes of cheap entries are written together, and no later than this after they happened.
FLUSH_SECONDS = 0.25
#: A result larger than this, as JSON, is left out with a note that says so: the work is done, and
#: failing the entry would have it done again.
MAX_RESULT_BYTES = 64 * 1024


def execute(run_id: UUID, *, worker: str, linger: float = 0.0) -> bool:
    """Claim a run and process its entries; False where there was nothing to claim.

    ``worker`` names this very execution, so that no other passes for it. ``linger``: seconds for
    which it goes on with the runs behind this one in its operation.
    """
    began = time.monotonic()
    run = claim_run(run_id, worker=worker)
    if run is None:
        logger.info("run.not_claimed", extra={"run_id": str(run_id)})
        return False
    groups = _Groups()
    while run is not None:
        with structlog.contextvars.bound_contextvars(run_id=str(run.id)):
            ended = _work_through(run, worker=worker, groups=groups)
        lingers = ended and not shutdown.is_set() and time.monotonic() - began < linger
        run = claim_next(run, worker=worker) if lingers else None
    return True


def _work_through(run: Run, *, worker: str, groups: "_Groups") -> bool:
    logger.info("run.started", extra={"run_id": str(run.id), "entries": len(run.entry_ids)})
    with Lease(run.id, worker=worker) as lease:
        rest = _process(run, worker=worker, lease=lease, groups=groups)
    if rest and not lease.lost:
        _hand_on(run, rest)
    ended = end_run(run, worker=worker)
    logger.info("run.ended" if ended else "run.taken_away", extra={"run_id": str(run.id)})
    return ended


def _process(run: Run, *, worker: str, lease: Lease, groups: "_Groups") -> Sequence[int]:
    """Work through the run's entries in groups; returns those that were not begun."""
    largest = _group_limit(run.kind)
    watch = Interruption(run)
    place = 0
    while place < len(run.entry_ids):
        if shutdown.is_set() or lease.lost or watch.interrupted():
            return run.entry_ids[place:]
        group = run.entry_ids[place : place + min(largest, groups.size)]
        began = time.monotonic()
        _process_group(run, group, worker=worker)
        place += len(group)
        groups.learn(len(group), seconds=time.monotonic() - began)
    return []


class _Groups:
    """How many entries are claimed together: what fits into a flush at the pace just seen, and at
    most twice as many as before. Kept from run to run, which are of one kind.
    """

    def __init__(self) -> None:
        self.size = 1

    def learn(self, size: int, *, seconds: float) -> None:
        fitting = int(size * FLUSH_SECONDS / max(seconds, 0.0001))
        # A run's last group may be small for want of entries, which says nothing against more.
        self.size = max(1, min(2 * max(size, self.size), fitting))


def _group_limit(kind: str) -> int:
    try:
        return registry.get(kind).group_size
    except UnknownKind:
        return 1


def _process_group(run: Run, ids: Sequence[int], *, worker: str) -> None:
    """Claim what still belongs to the run, process it, write the outcomes at least every flush."""
    pending: list[Ending] = []
    flushed = time.monotonic()
    for entry in transitions.claim(ids, run_id=run.id, worker=worker):
        pending.append(process_one(entry, run=run))
        if time.monotonic() - flushed > FLUSH_SECONDS:
            _write(run, pending, worker=worker)
            pending, flushed = [], time.monotonic()
    if pending:
        _write(run, pending, worker=worker)


def _write(run: Run, endings: Sequence[Ending], *, worker: str) -> None:
    """Store outcomes and count them on the run; what the fence rejected is only logged."""
    written = _finish(endings, run_id=run.id)
    if run.size > 1:
        # An operation is watched, and the breaker looks at what a long run has come to so far.
        tally(
            run, _counted(ending for ending in endings if ending.entry_id in written), worker=worker
        )
    # One line an entry, except where thousands a second go by.
    level = logging.INFO if len(endings) == 1 else logging.DEBUG
    for ending in endings:
        fields = {"entry_id": ending.entry_id, "status": ending.status.value}
        if ending.entry_id in written:
            logger.log(level, "entry.finished", extra=fields)
        else:
            logger.warning("entry.outcome_rejected", extra=fields)


def _counted(endings: Iterable[Ending]) -> Counted:
    kept = list(endings)
    by_status = Counter(ending.status for ending in kept)
    return Counted(
        succeeded=by_status[EntryStatus.SUCCEEDED],
        failed=by_status[EntryStatus.FAILED],
        scheduled=by_status[EntryStatus.SCHEDULED],
        transient=sum(ending.transient for ending in kept),
    )


def _finish(endings: Sequence[Ending], *, run_id: UUID) -> set[int]:
    """Write outcomes, also over a restart of PostgreSQL: work that is done must not be redone.

    Raises ``OperationalError`` when the database stays away for longer than a lease lasts.
    """
    deadline = time.monotonic() + settings.REDRIVE_LEASE_SECONDS
    while True:
        try:
            return transitions.finish(endings, run_id=run_id)
        except (OperationalError, InterfaceError):
            if time.monotonic() > deadline:
                raise
            logger.warning("run.database_away", extra={"run_id": str(run_id)})
            connections.close_all()
            time.sleep(0.5)


def process_one(entry: Claimed, *, run: Run) -> Ending:
    """Run the kind's ``process`` under its time limit; never raises for what the kind does."""
    try:
        kind = registry.get(entry.kind)
    except UnknownKind as error:
        return _failed(entry, error, kind=None)
    try:
        with time_limit(kind.time_limit):
            result = kind.process(_entry_data(entry), _attempt_data(entry, run))
        cleaned = _storable(result)
    except TimeLimitHit as hit:
        disarm()
        # The alarm may have struck in the middle of a query: such a connection is of no more use.
        connections.close_all()
        late = TimeLimitExceeded(f"took longer than {kind.time_limit:g} s")
        return _failed(entry, late.with_traceback(hit.__traceback__), kind=kind)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a kind may raise anything
        _leave_no_transaction()
        return _failed(entry, error, kind=kind)
    return Ending(entry.id, EntryStatus.SUCCEEDED, result=cleaned)


def _storable(result: Mapping[str, Any] | None) -> Mapping[str, Any]:
    try:
        cleaned: Mapping[str, Any] = clean_json(dict(result or {}), max_bytes=MAX_RESULT_BYTES)
    except (NotJSON, NotStorable, TypeError, ValueError) as error:
        return {"left_out": clean_text(error, limit=300)}
    return cleaned


def _failed(entry: Claimed, error: BaseException, *, kind: Kind | None) -> Ending:
    delay = kind.retry_policy.delay(error, used=entry.automatic_attempts) if kind else None
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
    )


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


def _hand_on(run: Run, ids: Sequence[int]) -> None:
    """Give what this worker will not begin to whoever comes next, as a run of its own."""
    new_run_id = uuid4()
    with transaction.atomic():
        moved = transitions.reassign(ids, run_id=run.id, new_run_id=new_run_id)
        placed = [
            Placed(
                id=id_,
                kind=run.kind,
                attempt=attempt,
                run_id=new_run_id,
                source_id=run.source_id,
            )
            for id_, attempt in moved.items()
        ]
        runs = create_runs(
            placed,
            trigger=Trigger(run.trigger),
            actor=Actor.system(run.actor_label),
            reason=run.reason,
            bulk=run.queue == "bulk",
            parent=run,
            held=run.operation_id is not None,
        )
        if run.operation_id is None:
            Handing(runs)
