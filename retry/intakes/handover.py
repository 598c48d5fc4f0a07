"""Handing syncs and imports to the broker, after the commit that queued them."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import F

from retry import queue
from retry.intakes import rows
from retry.models import Import, Intake, Sync, SyncState
from retry.outcomes import Actor
from retry.runs.job_ids import dispatch_job_id

QUEUE = "sync"
_FUNCTIONS: Mapping[type[Intake], str] = {Sync: queue.SYNC_SOURCE, Import: queue.IMPORT_FILE}
R = TypeVar("R", bound=Intake)


def enqueue(row: R, *, actor: Actor) -> R:
    """Insert a queued row in the caller's transaction, and hand it over once that has committed.

    It is inserted as if the hand-over went well. Where Redis cannot be reached it is marked for the
    dispatcher; where this process dies in between, the dispatcher misses it in Redis.
    """
    row.state, row.dispatches = SyncState.QUEUED, 1
    rows.insert(row, actor=actor)
    transaction.on_commit(lambda: _hand_over_new(row), robust=True)
    return row


def enqueue_again(row: Intake, *, job_id: str) -> bool:
    """Queue a failed row again, in the caller's transaction; False where it has not failed."""
    if not rows.requeue(row, job_id=job_id):
        return False
    row.refresh_from_db()
    transaction.on_commit(lambda: _hand_over_new(row), robust=True)
    return True


def hand_over(waiting: Sequence[Intake]) -> int:
    """Hand over rows that Redis does not have; return how many reached it. Never raises for Redis.

    Must be called outside a transaction: a job may start before this returns.
    """
    sent = waiting[: queue.hand_over_in_order(_describe_job(r, r.dispatches) for r in waiting)]
    for model in _FUNCTIONS:
        ids = [row.pk for row in sent if isinstance(row, model)]
        rows.select_all(model).filter(pk__in=ids).update(dispatches=F("dispatches") + 1)
    return len(sent)


def _hand_over_new(row: Intake) -> None:
    if not queue.hand_over_in_order([_describe_job(row, 0)]):
        queued = rows.select(row).filter(state=SyncState.QUEUED, dispatches=1)
        queued.update(dispatches=0)
        row.dispatches = 0


def _describe_job(row: Intake, dispatches: int) -> queue.JobSpec:
    return queue.JobSpec(
        job_id=dispatch_job_id(row.job_id, dispatches=dispatches),
        queue=QUEUE,
        argument=str(row.pk),
        timeout=settings.REDRIVE_SYNC_TIMEOUT,
        function=_FUNCTIONS[type(row)],
    )
