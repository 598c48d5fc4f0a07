"""Handing runs over to the broker, after the commit that created them."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from retry import queue
from retry.models import Run, RunState
from retry.runs.job_ids import dispatch_job_id
from retry.runs.routing import compute_job_timeout


class QueuedRun(Protocol):
    """What the job of a run is made of."""

    @property
    def id(self) -> UUID: ...
    @property
    def kind(self) -> str: ...
    @property
    def queue(self) -> str: ...
    @property
    def job_id(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def resync(self) -> bool: ...


class Handover:
    """Hand new runs over once the transaction around it has committed; ``done`` says whether all
    of them reached Redis.

    The rows are inserted as handed over, which is nearly always true: one write less while a person
    waits. Where Redis could not be reached the runs are marked for the dispatcher, and where this
    process dies in between, the dispatcher finds them in no list of Redis. ``ahead`` hands them
    over before what waits, this first time.
    """

    def __init__(self, runs: Sequence[QueuedRun], *, ahead: bool = False) -> None:
        self.done = not runs
        self._ahead = ahead
        if runs:
            transaction.on_commit(lambda: self._hand_over(runs), robust=True)

    def _hand_over(self, runs: Sequence[QueuedRun]) -> None:
        count = queue.hand_over_in_order(
            _describe_job(run, dispatches=0, ahead=self._ahead) for run in runs
        )
        self.done = count == len(runs)
        if not self.done:
            left = [run.id for run in runs[count:]]
            Run.objects.filter(id__in=left, state=RunState.QUEUED, dispatches=1).update(
                dispatches=0, dispatched_at=None
            )


def hand_over(runs: Sequence[Run]) -> int:
    """Hand over runs that Redis does not have; return how many reached it. Never raises for Redis.

    Call it outside a transaction: a job may start before this returns.
    """
    count = queue.hand_over_in_order(_describe_job(r, dispatches=r.dispatches) for r in runs)
    sent = [run.id for run in runs[:count]]
    if sent:
        Run.objects.filter(id__in=sent).update(dispatches=F("dispatches") + 1, dispatched_at=Now())
    return len(sent)


def _describe_job(run: QueuedRun, *, dispatches: int, ahead: bool = False) -> queue.JobSpec:
    return queue.JobSpec(
        job_id=dispatch_job_id(run.job_id, dispatches=dispatches),
        queue=run.queue,
        argument=str(run.id),
        timeout=compute_job_timeout(kind=run.kind, size=run.size, resync=run.resync),
        ahead=ahead,
    )
