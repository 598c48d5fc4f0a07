"""The dispatcher's part in operations: start their runs, pause, cancel and end them."""

import logging
import time
from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Now

from entries.sql import load
from retry import audit
from retry.dispatcher.failure_limit import judge, measure_room
from retry.limits import hurry_locks
from retry.models import Action, Operation, OperationState, PauseCause, Run, RunState
from retry.outcomes import Actor
from retry.runs.cancellation import cancel_next_run, cancel_unclaimed_entries
from retry.runs.hold_condition import find_active_holds, run_is_held
from retry.runs.start import start_planned

logger = logging.getLogger(__name__)

PACER = Actor.system("dispatcher")
#: Entries started in one transaction.
BATCH_ENTRIES = 5_000
#: Of repairs, whose payloads are read and written.
REPAIR_ENTRIES = 1_000
#: One tick, for all operations together; the next tick follows at once.
SLICE_SECONDS = 2.0
_RUNS_AT_ONCE = 500
#: Allowance of the pace that is older lapses, so that no burst follows an outage.
_SAVED_SECONDS = 2.0
#: A step waits this long for locked rows; after that its operation waits for the next tick.
_LOCK_SECONDS = 0.5
_STARTABLE = (OperationState.PLANNED, OperationState.RUNNING)

_SQL = load(__file__)


def pace(do: Callable[[Callable[[], int]], int] = lambda act: act()) -> int:
    """Advance every open operation; return how many entries were started.

    ``do`` runs the part of each operation, so that a failing one does not stop the others.
    """
    deadline = time.monotonic() + SLICE_SECONDS
    open_operations = Operation.objects.filter(ended_at=None).order_by("created_at")
    return sum(do(partial(_advance, operation, deadline=deadline)) for operation in open_operations)


def _advance(operation: Operation, *, deadline: float) -> int:
    if operation.state == OperationState.CANCELLED:
        _unwind(operation.pk, deadline=deadline)
    started = 0
    while time.monotonic() < deadline:
        placed = step(operation.pk)
        started += placed
        if not placed:
            break
    _end(operation.pk)
    return started


def start_one(kind: str) -> bool:
    """Start one run of a kind that the breaker holds, to have something to probe with."""
    startable = Operation.objects.filter(state__in=_STARTABLE, ended_at=None)
    candidates = startable.filter(
        Exists(Run.objects.filter(operation=OuterRef("pk"), kind=kind, state=RunState.PLANNED))
    )
    return any(
        step(operation.pk, probing=kind)
        for operation in candidates.order_by("created_at")
        if Action(operation.action).by_workers
    )


def step(operation_id: UUID, *, probing: str = "") -> int:
    """Start the next runs in one transaction, as many as pace, canary and limit allow now.

    Returns how many entries they hold. ``probing``: start one run of this kind although the breaker
    holds it.
    """
    with transaction.atomic():
        hurry_locks(_LOCK_SECONDS)
        operation = Operation.objects.select_for_update().get(pk=operation_id)
        if operation.state not in _STARTABLE:
            return 0
        if operation.state == OperationState.PLANNED:
            _begin(operation)
        verdict = judge(operation)
        if verdict.pause and _has_more(operation):
            _pause(operation, verdict.pause, cause=verdict.cause)
            return 0
        if verdict.wait:
            return 0
        allowed, lapsed = _allowance(operation)
        runs = _lock_next(operation, allowed, canary_only=verdict.canary_only, probing=probing)
        if not runs:
            return 0
        start_planned(operation, runs)
        placed = sum(run.size for run in runs)
        Operation.objects.filter(pk=operation_id).update(
            paced_entries=F("paced_entries") + placed + lapsed
        )
    return placed


def _begin(operation: Operation) -> None:
    Operation.objects.filter(pk=operation.pk).update(
        state=OperationState.RUNNING, started_at=Now(), resumed_at=Now()
    )
    operation.refresh_from_db()


def _has_more(operation: Operation) -> bool:
    """Whether a pause would keep anything from starting."""
    waiting = (RunState.PLANNED, RunState.QUEUED)
    return Run.objects.filter(operation=operation, state__in=waiting).exists()


def _pause(operation: Operation, why: str, *, cause: PauseCause) -> None:
    logger.warning("operation.paused", extra={"operation_id": str(operation.pk), "why": why})
    Operation.objects.filter(pk=operation.pk).update(
        state=OperationState.PAUSED, pause_reason=why[:300], pause_cause=cause
    )
    audit.record(
        "pause",
        actor=PACER,
        count=operation.total,
        reason=why,
        operation_id=operation.pk,
        before={"state": operation.state},
        after={"state": OperationState.PAUSED.value},
    )


def _lock_next(
    operation: Operation, allowed: float, *, canary_only: bool, probing: str
) -> list[Run]:
    """Lock planned runs in order, up to what the pace allows and one transaction should hold.

    Runs on hold are passed over, so that the others need not wait for them.
    """
    planned = Run.objects.filter(operation=operation, state=RunState.PLANNED)
    if probing:
        planned = planned.filter(kind=probing).exclude(source_id__in=find_active_holds().source_ids)
    elif Action(operation.action).by_workers:  # held entries may still be discarded
        planned = planned.exclude(run_is_held())
    if canary_only:
        planned = planned.filter(canary=True)
    repairs = operation.action == Action.REPAIR
    most = min(allowed, 1 if probing else REPAIR_ENTRIES if repairs else BATCH_ENTRIES)
    judged = measure_room(operation)
    chosen: list[UUID] = []
    size = 0
    # Sizes first: reading the entry ids of runs that do not start now would be wasted.
    ordered = planned.order_by("position", "id").values_list("id", "size")
    for run_id, entries in ordered[:_RUNS_AT_ONCE]:
        # One run may overdraw the pace, because it holds at most a second's worth. The failure
        # limit is not overdrawn, except by a run that would never fit.
        if size >= most or not judged.takes(size, entries):
            break
        chosen.append(run_id)
        size += entries
    return list(planned.filter(id__in=chosen).order_by("position", "id").select_for_update())


def _allowance(operation: Operation) -> tuple[float, int]:
    """Return how many entries the pace allows now (without a pace: infinity), and how many more of
    its allowance lapse with what starts next.
    """
    if operation.rate_per_second is None:
        return float("inf"), 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp() - %s)", [operation.resumed_at])
        elapsed_seconds = float(cursor.fetchone()[0])
    left = elapsed_seconds * operation.rate_per_second - operation.paced_entries
    allowed = min(left, max(1.0, operation.rate_per_second * _SAVED_SECONDS))
    return allowed, int(left - allowed)


def _unwind(operation_id: UUID, *, deadline: float) -> None:
    """Put back what a cancelled operation has queued, as far as the time allows."""
    cancelled: int | None = 0
    while cancelled is not None and time.monotonic() < deadline:
        with transaction.atomic():
            hurry_locks(_LOCK_SECONDS)
            cancelled = cancel_next_run(operation_id)
    cancel_unclaimed_entries(operation_id)


def _end(operation_id: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_SQL["end_operation"], {"id": operation_id})
