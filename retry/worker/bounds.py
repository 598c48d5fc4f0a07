"""The begin and the end of a run in a work-horse, however its entries are processed in between."""

import logging

from retry.worker.activity import Activity
from retry.worker.claim import Claim
from retry.worker.resync import Reading, SourceReader

logger = logging.getLogger(__name__)


def begin_run(claim: Claim, *, activity: Activity, sources: SourceReader) -> Reading | None:
    """Note that a claimed run begins; return what its source has of it, None without a resync."""
    run = claim.run
    logger.info("run.started", extra={"run_id": str(run.id), "entries": len(run.entry_ids)})
    activity.hold(run.id)
    # Before any entry is claimed: if the worker dies while it reads, they are still queued.
    return sources.read(run) if run.resync else None


def finish_run(claim: Claim, *, activity: Activity, is_held: bool) -> bool:
    """Hand on what was not taken and end the run; False where it was taken away.

    ``is_held``: it stopped because it is on hold, or its operation is stopped.
    """
    run = claim.run
    if not activity.is_lost(run.id):
        # Runs of an operation are handed over in its order.
        claim.hand_on(held=is_held or run.operation_id is not None)
    ended = claim.end()
    activity.drop(run.id)
    logger.info("run.ended" if ended else "run.taken_away", extra={"run_id": str(run.id)})
    return ended
