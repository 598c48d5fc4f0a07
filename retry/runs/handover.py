"""Handing runs over to the broker, after the commit that created them."""

import logging
from collections.abc import Iterator, Sequence

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from retry import queue
from retry.errors import QueueUnavailable
from retry.models import Run, RunState
from retry.runs.job_ids import dispatch_job_id
from retry.runs.routing import compute_job_timeout

logger = logging.getLogger(__name__)


class Handover:
    """Hand new runs over once the transaction around it has committed; ``done`` says whether all
    of them reached Redis.

    The rows are inserted as handed over, which is nearly always true: one write less while a person
    waits. Where Redis could not be reached the runs are marked for the dispatcher, and where this
    process dies in between, the dispatcher finds them in no list of Redis.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self.done = not runs
        if runs:
            transaction.on_commit(lambda: self._hand_over(runs), robust=True)

    def _hand_over(self, runs: Sequence[Run]) -> None:
        sent = {run.id for run in _enqueue(runs, dispatches=0)}
        self.done = len(sent) == len(runs)
        if not self.done:
            missing = [run.id for run in runs if run.id not in sent]
            Run.objects.filter(id__in=missing, state=RunState.QUEUED, dispatches=1).update(
                dispatches=0, dispatched_at=None
            )


def hand_over(runs: Sequence[Run]) -> int:
    """Hand over runs that Redis does not have; return how many reached it. Never raises for Redis.

    Call it outside a transaction: a job may start before this returns.
    """
    sent = [run.id for run in _enqueue(runs)]
    if sent:
        Run.objects.filter(id__in=sent).update(dispatches=F("dispatches") + 1, dispatched_at=Now())
    return len(sent)


def _enqueue(runs: Sequence[Run], *, dispatches: int | None = None) -> Iterator[Run]:
    """Enqueue runs in order, and yield each, up to the first that Redis does not take."""
    for run in runs:
        before = run.dispatches if dispatches is None else dispatches
        job = queue.JobSpec(
            job_id=dispatch_job_id(run.job_id, dispatches=before),
            queue=run.queue,
            argument=str(run.id),
            timeout=compute_job_timeout(run),
        )
        try:
            queue.hand_over(job)
        except QueueUnavailable as error:
            logger.warning("handover.failed", extra={"run_id": str(run.id), "error": str(error)})
            return
        yield run
