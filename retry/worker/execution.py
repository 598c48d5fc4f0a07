"""A worker's way through one run, and through the runs behind it."""

import logging
import time
from dataclasses import dataclass
from uuid import UUID

import structlog

from entries.errors import UnknownKind
from entries.kinds import registry
from entries.kinds.base import Kind
from retry.models import Run, Trigger
from retry.worker.activity import Activity
from retry.worker.claim import Claim
from retry.worker.kind_connections import KindConnections
from retry.worker.patience import Patience
from retry.worker.processing import FLUSH_SECONDS, process
from retry.worker.resync import SourceReader
from retry.worker.side_by_side import Limits, SideBySide

logger = logging.getLogger(__name__)


class Flag:
    """As ``threading.Event`` without its lock, which a signal handler must not wait for."""

    def __init__(self) -> None:
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def clear(self) -> None:
        self._is_set = False

    def is_set(self) -> bool:
        return self._is_set


#: Set when the worker is asked to stop: it finishes what is under way and hands on the rest.
shutdown = Flag()

#: For requests: nothing is lost where no entry was claimed yet.
UNTIL_SHUTDOWN = Patience(give_up=shutdown.is_set)

#: How long a worker continues with the next runs after it has read their source for them.
RESYNC_LINGER_SECONDS = 60.0


@dataclass(slots=True)
class _Tools:
    """What one execution keeps from run to run, which are all of one kind."""

    activity: Activity
    connections: KindConnections
    sources: SourceReader
    #: What the kind allows to be claimed together, and what fits.
    max_group: int
    group_size: int = 1

    def learn(self, size: int, *, seconds: float) -> None:
        """Fit groups into the time of a flush at this pace, growing them to twice at most."""
        fitting = int(size * FLUSH_SECONDS / max(seconds, 0.0001))
        # The last group of a run may be small only because no more entries were left.
        self.group_size = max(1, min(2 * max(size, self.group_size), fitting))


def execute(
    run_id: UUID, *, worker: str, linger: float = 0.0, activity: Activity | None = None
) -> bool:
    """Claim a run and process its entries; False where it cannot be claimed.

    ``worker`` is a name that no other execution has. For ``linger`` seconds it continues with the
    runs behind it. ``activity`` shows what it is doing; after an exception it still says what is
    left to settle.
    """
    activity = activity or Activity()
    activity.start(worker)
    claim = Claim.request(run_id, worker=worker, patience=UNTIL_SHUTDOWN)
    if claim is None:
        logger.info("run.not_claimed", extra={"run_id": str(run_id)})
        activity.clear()
        return False
    kind = _find_kind(claim.run.kind)
    with KindConnections() as connections:
        sources = SourceReader(activity, connections)
        if kind is not None and kind.concurrency > 1 and not _must_run_alone(claim.run):
            limits = Limits(linger, RESYNC_LINGER_SECONDS, shutdown.is_set, UNTIL_SHUTDOWN)
            crew = SideBySide(kind, activity=activity, sources=sources, limits=limits)
            crew.work_through(claim)
        else:
            tools = _Tools(activity, connections, sources, kind.group_size if kind else 1)
            _work_one_by_one(claim, tools, linger=linger)
    activity.clear()
    return True


def _must_run_alone(run: Run) -> bool:
    # Whatever killed a worker is found by itself, and a probe is one entry.
    return run.trigger == Trigger.RESCUE or run.probe


def _work_one_by_one(claim: Claim | None, tools: _Tools, *, linger: float) -> None:
    began = time.monotonic()
    while claim is not None:
        with structlog.contextvars.bound_contextvars(run_id=str(claim.run.id)):
            ended = _work_through(claim, tools)
        seconds = RESYNC_LINGER_SECONDS if linger and tools.sources.is_ahead else linger
        lingers = ended and not shutdown.is_set() and time.monotonic() - began < seconds
        claim = claim.request_next(patience=UNTIL_SHUTDOWN) if lingers else None


def _work_through(claim: Claim, tools: _Tools) -> bool:
    """Process a run's entries in groups; False where the run was taken away."""
    run, activity, connections = claim.run, tools.activity, tools.connections
    logger.info("run.started", extra={"run_id": str(run.id), "entries": len(run.entry_ids)})
    activity.hold(run.id)
    # Before any entry is claimed: if the worker dies while it reads, they are still queued.
    reading = tools.sources.read(run) if run.resync else None
    while claim.rest and not (shutdown.is_set() or activity.is_lost(run.id) or claim.is_stopped()):
        began = time.monotonic()
        size = min(tools.max_group, tools.group_size, len(claim.rest))
        entries = claim.take(claim.rest[:size], reading=reading)
        for outcomes in process(entries, run=run, activity=activity, connections=connections):
            claim.record(outcomes)
        tools.learn(size, seconds=time.monotonic() - began)
    if not activity.is_lost(run.id):
        # Without a shutdown it stopped because the run is held or its operation is stopped.
        claim.hand_on(held=run.operation_id is not None or not shutdown.is_set())
    ended = claim.end()
    activity.drop(run.id)
    logger.info("run.ended" if ended else "run.taken_away", extra={"run_id": str(run.id)})
    return ended


def _find_kind(name: str) -> Kind | None:
    try:
        return registry.get(name)
    except UnknownKind:
        return None
