"""A worker's way through one run, and through the runs behind it."""

import logging
import threading
import time
from dataclasses import dataclass
from uuid import UUID

import structlog

from entries.errors import UnknownKind
from entries.kinds import registry
from retry.worker.activity import Activity
from retry.worker.claim import Claim
from retry.worker.kind_connections import KindConnections
from retry.worker.patience import Patience
from retry.worker.processing import FLUSH_SECONDS, process
from retry.worker.resync import SourceReader

logger = logging.getLogger(__name__)

#: Set when the worker is asked to stop: it finishes the current entry and hands on the rest.
shutdown = threading.Event()

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
    next runs of the same operation. ``activity`` shows what it is doing; after an exception it
    still says what is left to settle.
    """
    began = time.monotonic()
    activity = activity or Activity()
    activity.start(worker)
    claim = Claim.request(run_id, worker=worker, patience=UNTIL_SHUTDOWN)
    if claim is None:
        logger.info("run.not_claimed", extra={"run_id": str(run_id)})
        activity.clear()
        return False
    with KindConnections() as connections:
        sources = SourceReader(activity, connections)
        tools = _Tools(activity, connections, sources, _find_max_group(claim.run.kind))
        while claim is not None:
            with structlog.contextvars.bound_contextvars(run_id=str(claim.run.id)):
                ended = _work_through(claim, tools)
            seconds = RESYNC_LINGER_SECONDS if linger and tools.sources.is_ahead else linger
            lingers = ended and not shutdown.is_set() and time.monotonic() - began < seconds
            claim = claim.request_next(patience=UNTIL_SHUTDOWN) if lingers else None
    activity.clear()
    return True


def _work_through(claim: Claim, tools: _Tools) -> bool:
    """Process a run's entries in groups; False where the run was taken away."""
    run, activity, connections = claim.run, tools.activity, tools.connections
    logger.info("run.started", extra={"run_id": str(run.id), "entries": len(run.entry_ids)})
    activity.hold(run.id)
    # Before any entry is claimed: if the worker dies while it reads, they are still queued.
    reading = tools.sources.read(run) if run.resync else None
    while claim.rest and not (shutdown.is_set() or activity.lost or claim.is_stopped()):
        began = time.monotonic()
        size = min(tools.max_group, tools.group_size, len(claim.rest))
        activity.claim()
        entries = claim.take(size, reading=reading)
        for outcomes in process(entries, run=run, activity=activity, connections=connections):
            claim.record(outcomes)
        tools.learn(size, seconds=time.monotonic() - began)
    if not activity.lost:
        # Without a shutdown it stopped because the run is held or its operation is stopped.
        claim.hand_on(held=run.operation_id is not None or not shutdown.is_set())
    ended = claim.end()
    logger.info("run.ended" if ended else "run.taken_away", extra={"run_id": str(run.id)})
    return ended


def _find_max_group(kind: str) -> int:
    try:
        return registry.get(kind).group_size
    except UnknownKind:
        return 1
