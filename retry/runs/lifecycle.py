"""A run from its claim to its end.

Each function is one conditional statement, and the rows it returns are the truth. ``worker`` names
an execution; a run belongs to it from the claim until its lease expires.
"""

import json
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import JSONField, Q
from django.db.models.functions import Now

from entries.sql import array, load
from retry import queue
from retry.errors import QueueUnavailable
from retry.models import Run, RunState
from retry.runs.hold_condition import FRAGMENTS, STOPPED, run_is_held
from retry.runs.job_ids import dispatch_job_id

_FIELDS = Run._meta.concrete_fields
_NAMES = tuple(field.attname for field in _FIELDS)
#: Fields that PostgreSQL returns as text.
_JSON = tuple(place for place, field in enumerate(_FIELDS) if isinstance(field, JSONField))
_COLUMNS = ", ".join(f"retry_run.{field.column}" for field in _FIELDS)

_SQL = load(__file__, include={**FRAGMENTS, "columns": _COLUMNS})
#: After an answer that did not come, Redis is not asked for so long.
_SILENCE_SECONDS = 10.0
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
    return _fetch_run(_SQL["claim_run"], params)


def claim_next(
    run: Run,
    *,
    worker: str,
    held: Sequence[UUID] = (),
    side_by_side: bool = False,
    answer_lost: bool = False,
) -> Run | None:
    """Claim a run of the same kind behind ``run``, without waiting for its RQ job.

    The next one of the same operation; without an operation the oldest of its like, if no other
    kind has waited longer. It is no larger, or with ``side_by_side`` one that need not run alone.
    ``held``: runs that the worker has. The job is taken back; where that fails, it finds the run
    claimed and ends. Repeatable with ``answer_lost``: the worker may have claimed one unknowingly.
    """
    params = {
        "held": [run.id, *held],
        "operation": run.operation_id,
        "position": run.position,
        "kind": run.kind,
        "queue": run.queue,
        "size": run.size,
        "resync": run.resync,
        "side_by_side": side_by_side,
        "answer_lost": answer_lost,
        "worker": worker[:_MAX_NAME],
        "lease": settings.REDRIVE_LEASE_SECONDS,
    }
    statement = _SQL["claim_oldest"] if run.operation_id is None else _SQL["claim_next"]
    claimed = _fetch_run(statement, params)
    if claimed is not None:
        _take_back_job(claimed)
    return claimed


class _Redis:
    #: When it did not answer last, by the process's monotonic clock.
    silent_at = float("-inf")


def _take_back_job(run: Run) -> None:
    """Take a claimed run's job back, unless Redis keeps silent: what is under way would wait."""
    if time.monotonic() - _Redis.silent_at < _SILENCE_SECONDS:
        return
    try:
        job_id = dispatch_job_id(run.job_id, dispatches=run.dispatches - 1)
        queue.take_back(run.queue, job_id=job_id)
    except QueueUnavailable:
        _Redis.silent_at = time.monotonic()


def _fetch_run(statement: str, params: Mapping[str, Any]) -> Run | None:
    # As ``raw`` would, which takes longer to map the columns than a short run to process.
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        row = cursor.fetchone()
    if row is None:
        return None
    values = list(row)
    for place in _JSON:
        values[place] = json.loads(values[place])
    return Run.from_db(connection.alias, _NAMES, values)


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
    params: dict[str, Any] = {"id": run.id, "worker": worker[:_MAX_NAME]}
    with connection.cursor() as cursor:
        # Nearly always all of a long run was counted group by group. Not so in a resync, where what
        # a source has not given may count as failed and be scheduled.
        if run.size > 1 and not run.resync:
            cursor.execute(_SQL["end_counted_run"], params)
            if cursor.fetchone() is not None:
                return True
        cursor.execute(_SQL["end_run"], params | {"ids": array(run.entry_ids)})
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

    def minus(self, other: "OutcomeCounts") -> "OutcomeCounts":
        mine, others = asdict(self), asdict(other)
        return OutcomeCounts(**{name: mine[name] - others[name] for name in mine})


def count_outcomes(run: Run, counts: OutcomeCounts, *, worker: str) -> None:
    """Add outcomes to a running run's counts; ``end_run`` counts what is missing there."""
    with connection.cursor() as cursor:
        cursor.execute(
            _SQL["count_outcomes"],
            {"id": run.id, "worker": worker[:_MAX_NAME], **asdict(counts)},
        )
