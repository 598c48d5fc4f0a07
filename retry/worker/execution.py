"""A worker's way through one run, and through the runs behind it."""

import logging
import time
from dataclasses import dataclass
from uuid import UUID

import structlog

from entries.kinds import registry
from retry.models import Run, Trigger
from retry.worker.activity import Activity
from retry.worker.bounds import begin_run, finish_run
from retry.worker.claim import Claim
from retry.worker.kind_connections import KindConnections
from retry.worker.log_context import name_run
from retry.worker.patience import UNTIL_SHUTDOWN, shutdown
from retry.worker.processing import FLUSH_SECONDS, process
from retry.worker.resync import LINGER_SECONDS as RESYNC_LINGER_SECONDS
from retry.worker.resync import SourceReader
from retry.worker.side_by_side import SideBySide

logger = logging.getLogger(__name__)


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
    kind = registry.find(claim.run.kind)
    with KindConnections() as connections:
        sources = SourceReader(activity, connections)
        if kind is not None and kind.concurrency > 1 and not _must_run_alone(claim.run):
            crew = SideBySide(kind, activity=activity, sources=sources, linger=linger)
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
        with structlog.contextvars.bound_contextvars(**name_run(claim.run)):
            ended = _work_through(claim, tools)
        seconds = RESYNC_LINGER_SECONDS if linger and tools.sources.is_ahead else linger
        lingers = ended and not shutdown.is_set() and time.monotonic() - began < seconds
        claim = claim.request_next(patience=UNTIL_SHUTDOWN) if lingers else None


def _work_through(claim: Claim, tools: _Tools) -> bool:
    """Process a run's entries in groups; False where the run was taken away."""
    run, activity, connections = claim.run, tools.activity, tools.connections
    reading = begin_run(claim, activity=activity, sources=tools.sources)
    while claim.rest and not (shutdown.is_set() or activity.is_lost(run.id) or claim.is_stopped()):
        began = time.monotonic()
        size = min(tools.max_group, tools.group_size, len(claim.rest))
        entries = claim.take(claim.rest[:size], reading=reading)
        for outcomes in process(entries, run=run, activity=activity, connections=connections):
            claim.record(outcomes)
        tools.learn(size, seconds=time.monotonic() - began)
    # Without a shutdown it stopped because the run is held or its operation is stopped.
    return finish_run(claim, activity=activity, is_held=not shutdown.is_set())
