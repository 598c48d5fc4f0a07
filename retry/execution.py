"""A worker's way through one run.

Nothing here trusts that the run is still ours: every write is fenced by the run id, and what the
statement returns decides.
"""

import logging
import threading
import time
from collections.abc import Sequence
from uuid import UUID, uuid4

import structlog
from django.db import transaction

from entries import transitions
from entries.errors import UnknownKind
from entries.kinds import registry
from entries.transitions import Claimed, Ending
from retry.groups import FLUSH_SECONDS, Groups
from retry.held import held_upstreams
from retry.interruption import Interruption
from retry.lease import Lease
from retry.lingering import claim_next
from retry.models import Run, Trigger
from retry.outcomes import Actor
from retry.parting import hand_on_held
from retry.processing import process_one
from retry.recording import record
from retry.rescanning import Found, Readings, rescan
from retry.runs import Counted, Handing, claim_run, create_runs, end_run, moved_on, tally
from retry.waiting import set_aside

logger = logging.getLogger(__name__)

#: Set by the worker when it is asked to stop: the entry at hand is finished, the rest handed on.
shutdown = threading.Event()

#: For so long a worker goes on with what it has read of a source for the runs that follow.
RESYNC_LINGER_SECONDS = 60.0


def execute(run_id: UUID, *, worker: str, linger: float = 0.0) -> bool:
    """Claim a run and process its entries; False where there was nothing to claim.

    ``worker`` names this very execution, so that no other passes for it. ``linger``: seconds for
    which it goes on with the runs behind this one in its operation.
    """
    began = time.monotonic()
    run = claim_run(run_id, worker=worker)
    if run is None:
        set_aside(run_id)
        logger.info("run.not_claimed", extra={"run_id": str(run_id)})
        return False
    groups, readings = Groups(), Readings()
    while run is not None:
        with structlog.contextvars.bound_contextvars(run_id=str(run.id)):
            ended = _work_through(run, worker=worker, groups=groups, readings=readings)
        patience = RESYNC_LINGER_SECONDS if linger and readings.covers_more(run) else linger
        lingers = ended and not shutdown.is_set() and time.monotonic() - began < patience
        run = claim_next(run, worker=worker) if lingers else None
    return True


def _work_through(run: Run, *, worker: str, groups: Groups, readings: Readings) -> bool:
    logger.info("run.started", extra={"run_id": str(run.id), "entries": len(run.entry_ids)})
    with Lease(run.id, worker=worker) as lease:
        # Before any entry is claimed: a worker that dies while it reads leaves them as they were.
        found = readings.of(run) if run.resync else None
        rest = _process(run, found, worker=worker, lease=lease, groups=groups)
    if not lease.lost:
        if rest:
            _hand_on(run, rest)
        hand_on_held(run)
    ended = end_run(run, worker=worker)
    logger.info("run.ended" if ended else "run.taken_away", extra={"run_id": str(run.id)})
    return ended


def _process(
    run: Run, found: Found | None, *, worker: str, lease: Lease, groups: Groups
) -> Sequence[int]:
    """Work through the run's entries in groups; returns those that were not begun."""
    largest = _group_limit(run.kind)
    watch = Interruption(run)
    place = 0
    while place < len(run.entry_ids):
        if shutdown.is_set() or lease.lost or watch.interrupted():
            return run.entry_ids[place:]
        group = run.entry_ids[place : place + min(largest, groups.size)]
        began = time.monotonic()
        _process_group(run, group, found, worker=worker)
        place += len(group)
        groups.learn(len(group), seconds=time.monotonic() - began)
    return []


def _group_limit(kind: str) -> int:
    try:
        return registry.get(kind).group_size
    except UnknownKind:
        return 1


def _process_group(run: Run, ids: Sequence[int], found: Found | None, *, worker: str) -> None:
    """Claim what still belongs to the run, process it, write the outcomes at least every flush."""
    pending: list[Ending] = []
    claimed = transitions.claim(ids, run_id=run.id, worker=worker, held=held_upstreams(run))
    if found is not None:
        claimed = _rescanned(run, claimed, found, worker=worker)
    flushed = time.monotonic()
    for entry in claimed:
        pending.append(process_one(entry, run=run))
        if time.monotonic() - flushed > FLUSH_SECONDS:
            record(run, pending, worker=worker)
            pending, flushed = [], time.monotonic()
    if pending:
        record(run, pending, worker=worker)


def _rescanned(run: Run, claimed: Sequence[Claimed], found: Found, *, worker: str) -> list[Claimed]:
    done = rescan(claimed, found, run=run)
    if run.size > 1 and done.unchanged + done.failed:
        tally(run, Counted(unchanged=done.unchanged, failed=done.failed), worker=worker)
    return done.kept


def _hand_on(run: Run, ids: Sequence[int]) -> None:
    """Give what this worker will not begin to whoever comes next, as a run of its own."""
    new_run_id = uuid4()
    # Where nobody asked this worker to stop it was told to: the run is held, or its operation is.
    waits = run.operation_id is not None or not shutdown.is_set()
    with transaction.atomic():
        moved = transitions.reassign(ids, run_id=run.id, new_run_id=new_run_id)
        runs = create_runs(
            moved_on(run, moved, run_id=new_run_id),
            trigger=Trigger(run.trigger),
            actor=Actor.system(run.actor_label),
            reason=run.reason,
            bulk=run.queue == "bulk",
            parent=run,
            held=waits,
        )
        if not waits:
            Handing(runs)
