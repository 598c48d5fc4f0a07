"""A worker's way through one run.

Nothing here trusts that the run is still ours: every write is fenced by the run id, and what the
statement returns decides.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from uuid import UUID, uuid4

from django.db import connections, transaction

from entries import transitions
from entries.errors import TimeLimitExceeded, UnknownKind
from entries.kinds import registry
from entries.kinds.base import AttemptData, EntryData, Kind
from entries.states import EntryStatus
from entries.text import clean_json, describe_error
from entries.transitions import Claimed, Ending
from retry.lease import Lease
from retry.models import Run, Trigger
from retry.outcomes import Actor
from retry.runs import Handing, Placed, claim_run, create_runs, end_run
from retry.time_limits import TimeLimitHit, disarm, time_limit

logger = logging.getLogger(__name__)

#: Set by the worker when it is asked to stop: the entry at hand is finished, the rest handed on.
shutdown = threading.Event()

#: A result larger than this, as JSON, is replaced by a note that says so.
MAX_RESULT_BYTES = 64 * 1024


def execute(run_id: UUID, *, worker: str) -> bool:
    """Claim a run and process its entries; False where there was nothing to claim.

    ``worker`` names this very execution, so that no other passes for it.
    """
    run = claim_run(run_id, worker=worker)
    if run is None:
        logger.info("run.not_claimed", extra={"run_id": str(run_id)})
        return False
    logger.info("run.started", extra={"run_id": str(run.id), "entries": len(run.entry_ids)})
    moved_on: list[int] = []
    rest: list[int] = []
    with Lease(run.id, worker=worker) as lease:
        for group in _groups(run):
            if shutdown.is_set() or lease.lost:
                rest.extend(group)
                continue
            moved_on.extend(_process_group(run, group, worker=worker))
    if rest and not lease.lost:
        _hand_on(run, rest)
    ended = end_run(run, skipped={"moved_on": moved_on}, worker=worker)
    logger.info("run.ended" if ended else "run.taken_away", extra={"run_id": str(run.id)})
    return True


def _groups(run: Run) -> Iterator[Sequence[int]]:
    try:
        size = registry.get(run.kind).group_size
    except UnknownKind:
        size = 1
    for start in range(0, len(run.entry_ids), size):
        yield run.entry_ids[start : start + size]


def _process_group(run: Run, ids: Sequence[int], *, worker: str) -> list[int]:
    """Claim, process, finish; returns the ids that no longer belonged to the run."""
    claimed = transitions.claim(ids, run_id=run.id, worker=worker)
    endings = [process_one(entry, run=run) for entry in claimed]
    if endings:
        written = transitions.finish(endings, run_id=run.id)
        for ending in endings:
            kept = ending.entry_id in written
            logger.info(
                "entry.finished" if kept else "entry.outcome_rejected",
                extra={
                    "run_id": str(run.id),
                    "entry_id": ending.entry_id,
                    "status": ending.status.value,
                },
            )
    return sorted(set(ids) - {entry.id for entry in claimed})


def process_one(entry: Claimed, *, run: Run) -> Ending:
    """Run the kind's ``process`` under its time limit; never raises for what the kind does."""
    try:
        kind = registry.get(entry.kind)
    except UnknownKind as error:
        return _failed(entry, error, kind=None)
    try:
        with time_limit(kind.time_limit):
            result = kind.process(_entry_data(entry), _attempt_data(entry, run))
        cleaned = clean_json(dict(result or {}), max_bytes=MAX_RESULT_BYTES)
    except TimeLimitHit as hit:
        disarm()
        # The alarm may have struck in the middle of a query: such a connection is of no more use.
        connections.close_all()
        error = TimeLimitExceeded(f"took longer than {kind.time_limit:g} s")
        return _failed(entry, error.with_traceback(hit.__traceback__), kind=kind)
    except (Exception, SystemExit) as error:
        _leave_no_transaction()
        return _failed(entry, error, kind=kind)
    return Ending(entry.id, EntryStatus.SUCCEEDED, result=cleaned)


def _failed(entry: Claimed, error: BaseException, *, kind: Kind | None) -> Ending:
    delay = kind.retry_policy.delay(error, used=entry.automatic_attempts) if kind else None
    status = EntryStatus.FAILED if delay is None else EntryStatus.SCHEDULED
    return Ending(entry.id, status, error=describe_error(error), delay=delay)


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
            Placed(id=id_, kind=run.kind, attempt=attempt, run_id=new_run_id)
            for id_, attempt in moved.items()
        ]
        runs = create_runs(
            placed,
            trigger=Trigger(run.trigger),
            actor=Actor.system(run.actor_label),
            reason=run.reason,
            bulk=run.queue == "bulk",
        )
        Handing(runs)
