"""A worker's way through one run.

Nothing here trusts that the run is still ours: every write is fenced by the run id, and what the
statement returns decides.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.db import transaction

from entries import transitions
from entries.errors import UnknownKind
from entries.kinds import registry
from entries.transitions import ClaimedEntry, Outcome
from retry.models import Run, Trigger
from retry.outcomes import Actor
from retry.runs.creation import create_runs, transfer_members
from retry.runs.detachment import detach_run
from retry.runs.handover import Handover
from retry.runs.hold_condition import find_held_upstreams
from retry.runs.lifecycle import OutcomeCounts, claim_next, claim_run, count_outcomes, end_run
from retry.worker.activity import Activity
from retry.worker.group_size import FLUSH_SECONDS, Groups
from retry.worker.interruption import Interruption
from retry.worker.kind_connections import KindConnections
from retry.worker.patience import outlast
from retry.worker.processing import process_one
from retry.worker.recording import record
from retry.worker.remainder import hand_on_held
from retry.worker.resync import Found, Readings, rescan

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: Set by the worker when it is asked to stop: the entry at hand is finished, the rest handed on.
shutdown = threading.Event()

#: For so long a worker goes on with what it has read of a source for the runs that follow.
RESYNC_LINGER_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Work:
    """What one execution keeps from run to run. ``worker`` is its name in claims."""

    worker: str
    activity: Activity
    connections: KindConnections
    groups: Groups = field(default_factory=Groups)
    readings: Readings = field(default_factory=Readings)


def execute(
    run_id: UUID, *, worker: str, linger: float = 0.0, activity: Activity | None = None
) -> bool:
    """Claim a run and process its entries; False where there was nothing to claim.

    ``worker`` names this very execution, so that no other passes for it. ``linger``: seconds for
    which it goes on with the runs behind this one in its operation. ``activity`` is told what it is
    at. Where it raises, what it holds is left for others to settle, and ``activity`` still says so.
    """
    began = time.monotonic()
    activity = activity or Activity()
    activity.start(worker)
    run = _ask(lambda: claim_run(run_id, worker=worker))
    if run is None:
        _ask(lambda: detach_run(run_id))
        logger.info("run.not_claimed", extra={"run_id": str(run_id)})
        activity.end()
        return False
    with KindConnections() as connections:
        work = _Work(worker, activity, connections)
        while run is not None:
            with structlog.contextvars.bound_contextvars(run_id=str(run.id)):
                ended = _work_through(run, work)
            ahead = linger and work.readings.covers_more(run)
            patience = RESYNC_LINGER_SECONDS if ahead else linger
            lingers = ended and not shutdown.is_set() and time.monotonic() - began < patience
            run = _next(run, worker=worker) if lingers else None
    activity.end()
    return True


def _ask(statement: Callable[[], T]) -> T:
    """Wait for PostgreSQL with what nothing has begun of, unless asked to stop."""
    return outlast(statement, give_up=shutdown.is_set)


def _next(run: Run, *, worker: str) -> Run | None:
    return _ask(lambda: claim_next(run, worker=worker))


def _work_through(run: Run, work: _Work) -> bool:
    logger.info("run.started", extra={"run_id": str(run.id), "entries": len(run.entry_ids)})
    work.activity.hold(run.id)
    # Before any entry is claimed: a worker that dies while it reads leaves them as they were.
    found = _read(run, work) if run.resync else None
    rest = _process(run, found, work)
    if not work.activity.lost:
        if rest:
            outlast(lambda: _hand_on(run, rest))
        outlast(lambda: hand_on_held(run))
    ended = outlast(lambda: end_run(run, worker=work.worker))
    logger.info("run.ended" if ended else "run.taken_away", extra={"run_id": str(run.id)})
    return ended


def _read(run: Run, work: _Work) -> Found:
    work.activity.read(seconds=settings.REDRIVE_SYNC_TIMEOUT)
    found = work.readings.of(run, connections=work.connections)
    work.activity.wait()
    return found


def _process(run: Run, found: Found | None, work: _Work) -> Sequence[int]:
    """Work through the run's entries in groups; returns those that were not begun."""
    largest = _group_limit(run.kind)
    watch = Interruption(run)
    place = 0
    while place < len(run.entry_ids):
        if shutdown.is_set() or work.activity.lost or outlast(watch.interrupted):
            return run.entry_ids[place:]
        group = run.entry_ids[place : place + min(largest, work.groups.size)]
        began = time.monotonic()
        _process_group(run, group, found, work)
        place += len(group)
        work.groups.learn(len(group), seconds=time.monotonic() - began)
    return []


def _group_limit(kind: str) -> int:
    try:
        return registry.get(kind).group_size
    except UnknownKind:
        return 1


def _process_group(run: Run, ids: Sequence[int], found: Found | None, work: _Work) -> None:
    """Claim what still belongs to the run, process it, write the outcomes at least every flush."""
    work.activity.claim()
    held = outlast(lambda: find_held_upstreams(run))
    claimed = outlast(lambda: transitions.claim(ids, run_id=run.id, worker=work.worker, held=held))
    if found is not None:
        claimed = _rescanned(run, claimed, found, worker=work.worker)
        claimed = _put_back_held(run, claimed, held)
    if run.trigger == Trigger.RESCUE and claimed:
        # The last attempt was lost. Should this one be lost too, it counts.
        outlast(lambda: transitions.begin([entry.id for entry in claimed], run_id=run.id))
    left = deque(claimed)
    while left:
        endings = _until_flush(left, run, work)
        work.activity.wait()
        record(run, endings, worker=work.worker)


def _until_flush(left: deque[ClaimedEntry], run: Run, work: _Work) -> list[Outcome]:
    began = time.monotonic()
    endings: list[Outcome] = []
    with work.connections.lent():
        while left and (not endings or time.monotonic() - began <= FLUSH_SECONDS):
            ending = process_one(
                left.popleft(), run=run, activity=work.activity, connections=work.connections
            )
            endings.append(ending)
    return endings


def _rescanned(
    run: Run, claimed: Sequence[ClaimedEntry], found: Found, *, worker: str
) -> list[ClaimedEntry]:
    done = outlast(lambda: rescan(claimed, found, run=run))
    if run.size > 1 and done.unchanged + done.failed:
        counted = OutcomeCounts(unchanged=done.unchanged, failed=done.failed)
        outlast(lambda: count_outcomes(run, counted, worker=worker))
    return done.kept


def _put_back_held(
    run: Run, claimed: Sequence[ClaimedEntry], held: Sequence[str]
) -> list[ClaimedEntry]:
    """What has come to depend on an upstream that is on hold is left queued, like all of that."""
    if waiting := [entry.id for entry in claimed if entry.upstream in held]:
        outlast(lambda: transitions.release(waiting, run_id=run.id))
    return [entry for entry in claimed if entry.upstream not in held]


def _hand_on(run: Run, ids: Sequence[int]) -> None:
    """Give what this worker will not begin to whoever comes next, as a run of its own."""
    new_run_id = uuid4()
    # Where nobody asked this worker to stop it was told to: the run is held, or its operation is.
    waits = run.operation_id is not None or not shutdown.is_set()
    with transaction.atomic():
        moved = transitions.reassign(ids, run_id=run.id, new_run_id=new_run_id)
        runs = create_runs(
            transfer_members(run, moved, run_id=new_run_id),
            trigger=Trigger(run.trigger),
            actor=Actor.system(run.actor_label),
            reason=run.reason,
            bulk=run.queue == "bulk",
            parent=run,
            held=waits,
        )
        if not waits:
            Handover(runs)
