"""A run from its claim to its end.

Each function is one conditional statement, and the rows it returns are the truth. ``worker`` names
an execution; a run belongs to it from the claim until its lease expires.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now

from entries.sql import load
from retry import queue
from retry.errors import QueueUnavailable
from retry.models import Run, RunState
from retry.runs.hold_condition import FRAGMENTS, STOPPED, run_is_held
from retry.runs.job_ids import dispatch_job_id

_SQL = load(__file__, include=FRAGMENTS)
#: Of ``Run.worker``, in characters.
_MAX_NAME = 200


def claim_run(run_id: UUID, *, worker: str) -> Run | None:
    """Claim a queued run with a lease, and return it; None where it cannot be claimed.

    Of two deliveries of one job, one gets the run and the other gets None. May be repeated by the
    same ``worker``, because an answer can be lost. A held run stays queued, without a job.
    """
    params: dict[str, Any] = {
        "id": run_id,
        "worker": worker[:_MAX_NAME],
        "lease": settings.REDRIVE_LEASE_SECONDS,
    }
    return next(iter(Run.objects.raw(_SQL["claim_run"], params)), None)


def claim_next(
    run: Run, *, worker: str, held: Sequence[UUID] = (), side_by_side: bool = False
) -> Run | None:
    """Claim a run of the same kind behind ``run``, without waiting for its RQ job.

    The next one of the same operation; without an operation the oldest run of the queue, if it has
    none either. It is no larger, or with ``side_by_side`` it is one that need not run alone.
    ``held``: runs that the worker has. The job is taken back; where that fails, it finds the run
    claimed and ends. Repeatable.
    """
    params = {
        "held": [run.id, *held],
        "operation": run.operation_id,
        "position": run.position,
        "kind": run.kind,
        "queue": run.queue,
        "size": run.size,
        "side_by_side": side_by_side,
        "worker": worker[:_MAX_NAME],
        "lease": settings.REDRIVE_LEASE_SECONDS,
    }
    statement = _SQL["claim_oldest"] if run.operation_id is None else _SQL["claim_next"]
    claimed = next(iter(Run.objects.raw(statement, params)), None)
    if claimed is not None:
        job_id = dispatch_job_id(claimed.job_id, dispatches=claimed.dispatches - 1)
        with suppress(QueueUnavailable):
            queue.take_back(claimed.queue, job_id=job_id)
    return claimed


def find_stopped(run_ids: Collection[UUID]) -> set[UUID]:
    """Return those of which nothing more may begin: held, or of an operation that is paused or
    cancelled.
    """
    stopped = Q(operation__state__in=STOPPED) | Q(run_is_held())
    return set(Run.objects.filter(stopped, pk__in=run_ids).values_list("pk", flat=True))


def is_another_waiting(run: Run) -> bool:
    """Say whether the run's queue holds work of others than its operation."""
    waiting = Run.objects.filter(
        state=RunState.QUEUED, queue=run.queue, dispatches__gt=0, dispatched_at__isnull=False
    )
    if run.operation_id is not None:
        waiting = waiting.exclude(operation_id=run.operation_id)
    return waiting.exclude(run_is_held()).exists()


def renew_leases(run_ids: Sequence[UUID], *, worker: str) -> set[UUID]:
    """Extend the leases; return the runs that have not been taken away."""
    params: dict[str, Any] = {
        "ids": list(run_ids),
        "worker": worker[:_MAX_NAME],
        "lease": settings.REDRIVE_LEASE_SECONDS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL["renew_leases"], params)
        return {row[0] for row in cursor.fetchall()}


def end_run(run: Run, *, worker: str) -> bool:
    """End a run and count its outcomes from its attempts; the rest counts as handed on.

    False where ``worker`` no longer has the run, and where entries of it are still queued or
    running: such a run is left to its lease, and so to the rescue.
    """
    params: dict[str, Any] = {"id": run.id, "ids": run.entry_ids, "worker": worker[:_MAX_NAME]}
    with connection.cursor() as cursor:
        cursor.execute(_SQL["end_run"], params)
        return cursor.fetchone() is not None


def lock_lapsed_run(run_id: UUID) -> bool:
    """Lock a run whose lease has expired until the caller's transaction ends; False where it has
    not expired.
    """
    found = Run.objects.filter(id=run_id, state=RunState.RUNNING, lease_expires_at__lt=Now())
    return found.select_for_update().exists()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeCounts:
    """How many entries ended how; ``transient`` counts among the failed and scheduled ones."""

    succeeded: int = 0
    failed: int = 0
    scheduled: int = 0
    unchanged: int = 0
    transient: int = 0


def count_outcomes(run: Run, counts: OutcomeCounts, *, worker: str) -> None:
    """Add outcomes to a running run's counts, for progress; ``end_run`` counts them again."""
    with connection.cursor() as cursor:
        cursor.execute(
            _SQL["count_outcomes"],
            {"id": run.id, "worker": worker[:_MAX_NAME], **asdict(counts)},
        )
