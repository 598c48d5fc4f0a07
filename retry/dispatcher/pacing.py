"""The dispatcher's part in operations: start their runs, pause, cancel and end them."""

import logging
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from operator import attrgetter
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from entries.sql import load
from retry import audit
from retry.dispatcher.allowance import measure_allowance
from retry.dispatcher.failure_limit import judge, measure_room
from retry.dispatcher.lane import Lane, Slice
from retry.limits import hurry_locks
from retry.models import Action, Operation, OperationState, PauseCause, Run, RunState
from retry.notices.events import record_operation_end, record_operation_pause
from retry.operations.tallies import Tally, read_tallies
from retry.outcomes import Actor
from retry.runs.cancellation import cancel_next_run, cancel_unclaimed_entries
from retry.runs.handover import Handover
from retry.runs.hold_condition import find_active_holds, run_is_held
from retry.runs.start import start_planned

logger = logging.getLogger(__name__)

PACER = Actor.system("dispatcher")
#: Entries started in one transaction.
BATCH_ENTRIES = 5_000
#: Of actions that rewrite payloads, and when no further run of them is begun: large payloads take
#: long, and the lease of the dispatcher is short.
REPAIR_ENTRIES = 1_000
REPAIR_SECONDS = 2.0
#: One tick, for all operations together; the next tick follows at once. Half of what the allowance
#: of a pace lasts, so that operations without a pace take nothing from those with one.
SLICE_SECONDS = 1.0
_RUNS_AT_ONCE = 500
#: A step waits this long for locked rows; after that its operation waits for the next tick.
_LOCK_SECONDS = 0.5
_STARTABLE = (OperationState.PLANNED, OperationState.RUNNING)

_SQL = load(__file__)


def pace(do: Callable[[Callable[[], int]], int] = lambda act: act()) -> int:
    """Advance every open operation; return how many entries were started.

    ``do`` runs the part of each operation, so that a failing one does not stop the others. First
    come those that start a little at a time. What could fill the whole tick divides the rest of it,
    and what has had least goes first, so that none waits until another is done.
    """
    deadline = time.monotonic() + SLICE_SECONDS
    found = list(Operation.objects.filter(ended_at=None).order_by("created_at"))
    small = [operation for operation in found if not _is_large(operation)]
    large = sorted(filter(_is_large, found), key=attrgetter("paced_entries"))
    started = sum(do(partial(_advance, operation, deadline=deadline)) for operation in small)
    for left, operation in zip(range(len(large), 0, -1), large, strict=True):
        now = time.monotonic()
        if operation is not large[0] and now > deadline:
            break
        started += do(partial(_advance, operation, deadline=now + (deadline - now) / left))
    return started


def _is_large(operation: Operation) -> bool:
    """Whether one tick may not be enough for all that the operation has to do now."""
    if operation.state == OperationState.CANCELLED:
        return True
    return operation.state in _STARTABLE and (
        Action(operation.action).rewrites or operation.rate_per_second is None
    )


def _advance(operation: Operation, *, deadline: float) -> int:
    """Do at least one step, and others until the ``deadline``."""
    if operation.state == OperationState.CANCELLED:
        _unwind(operation.pk, deadline=deadline)
    started = 0
    with Lane() as lane:
        while placed := step(operation.pk, lane=lane):
            started += placed
            if time.monotonic() >= deadline:
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


def step(operation_id: UUID, *, probing: str = "", lane: Lane | None = None) -> int:
    """Start the next runs in one transaction, as many as pace, canary and limit allow now.

    Returns how many entries they hold. ``probing``: start one run of this kind although the breaker
    holds it. ``lane``: what does not fit in the transaction is started there at the same time,
    where nothing bounds the operation.
    """
    try:
        with transaction.atomic():
            return _step(operation_id, probing=probing, lane=lane)
    finally:
        if lane is not None:
            lane.follow()


def _step(operation_id: UUID, *, probing: str, lane: Lane | None) -> int:
    hurry_locks(_LOCK_SECONDS)
    # Only the lane's transaction gets past this lock: see lock_running.
    operation = Operation.objects.select_for_update(no_key=True).get(pk=operation_id)
    if operation.state not in _STARTABLE:
        return 0
    aside = lane if lane is not None and _is_unbounded(operation) else None
    if operation.state == OperationState.PLANNED and not _begin(operation):
        return 0
    verdict = judge(operation)
    if verdict.pause and _has_more(operation):
        _pause(operation, verdict.pause, cause=verdict.cause)
        return 0
    if verdict.wait:
        return 0
    planned = _find_planned(operation, canary_only=verdict.canary_only, probing=probing)
    rewrites = Action(operation.action).rewrites
    most = 1 if probing else REPAIR_ENTRIES if rewrites else BATCH_ENTRIES
    return _start_next(operation, planned, most=most, lane=aside)


def _start_next(
    operation: Operation, planned: QuerySet[Run], *, most: int, lane: Lane | None
) -> int:
    """Start the next runs, up to ``most`` entries here and as many in the ``lane``; count both."""
    allowed, lapsed = measure_allowance(operation)
    here, there = _choose(operation, planned, most=min(allowed, most), beside=lane is not None)
    if lane is not None and there:
        lane.begin(partial(_start_beside, operation, planned.filter(id__in=there)))
    placed = 0
    if here:
        started = _start(operation, planned.filter(id__in=here))
        Handover(started.runs)
        placed = started.entries
    if lane is not None:
        placed += lane.wait()
    if placed:
        Operation.objects.filter(pk=operation.pk).update(
            paced_entries=F("paced_entries") + placed + lapsed
        )
    return placed


def _is_unbounded(operation: Operation) -> bool:
    """Whether neither pace nor canary nor failure limit says how many entries may start, and so
    nothing must be counted before more are started; as of before the present transaction.
    """
    return (
        operation.state == OperationState.RUNNING
        and not Action(operation.action).rewrites
        and operation.rate_per_second is None
        and (operation.canary_done or not operation.canary_size)
        and (operation.max_failure_rate is None or operation.max_failure_rate >= 1)
    )


def _begin(operation: Operation) -> bool:
    """Begin a planned operation whose time has come; tell whether it has."""
    due = Operation.objects.filter(
        Q(start_at=None) | Q(start_at__lte=Now()), pk=operation.pk, state=OperationState.PLANNED
    )
    begun = due.update(state=OperationState.RUNNING, started_at=Now(), resumed_at=Now())
    operation.refresh_from_db()
    return begun == 1


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
    record_operation_pause(operation, why=why)


def _find_planned(operation: Operation, *, canary_only: bool, probing: str) -> QuerySet[Run]:
    """Find planned runs that may start. Runs on hold are passed over, so that the others need not
    wait for them.
    """
    planned = Run.objects.filter(operation=operation, state=RunState.PLANNED)
    if probing:
        planned = planned.filter(kind=probing).exclude(source_id__in=find_active_holds().source_ids)
    elif Action(operation.action).by_workers:  # held entries may still be discarded
        planned = planned.exclude(run_is_held())
    return planned.filter(canary=True) if canary_only else planned


def _choose(
    operation: Operation, planned: QuerySet[Run], *, most: float, beside: bool
) -> tuple[list[UUID], list[UUID]]:
    """Choose runs in order, up to ``most`` entries and what the failure limit leaves room for.

    The second list has as many again where something starts ``beside``, else nothing.
    """
    judged = measure_room(operation)
    chosen: list[UUID] = []
    more: list[UUID] = []
    size = 0
    # Sizes first: reading the entry ids of runs that do not start now would be wasted.
    ordered = planned.order_by("position", "id").values_list("id", "size")
    for run_id, entries in ordered[:_RUNS_AT_ONCE]:
        # One run may overdraw the pace, because it holds at most a second's worth. The failure
        # limit is not overdrawn, except by a run that would never fit.
        if size >= most * (2 if beside else 1) or not judged.takes(size, entries):
            break
        (chosen if size < most else more).append(run_id)
        size += entries
    return chosen, more


def _start(operation: Operation, planned: QuerySet[Run]) -> Slice:
    """Lock and start runs in the caller's transaction, after which they are to be handed over.

    Of those that rewrite payloads, the first and what else can be begun in time.
    """
    runs = list(planned.order_by("position", "id").select_for_update())
    if not Action(operation.action).rewrites:
        return Slice(sum(run.size for run in runs), start_planned(operation, runs))
    deadline = time.monotonic() + REPAIR_SECONDS
    entries, with_job = 0, []
    for run in runs:
        with_job += start_planned(operation, [run])
        entries += run.size
        if time.monotonic() > deadline:
            break
    return Slice(entries, with_job)


def _start_beside(operation: Operation, planned: QuerySet[Run]) -> Slice:
    """Start runs of an unbounded operation in a transaction of its own, beside that of a step."""
    with transaction.atomic(), connection.cursor() as cursor:
        hurry_locks(_LOCK_SECONDS)
        cursor.execute(_SQL["lock_running"], {"id": operation.pk})
        return _start(operation, planned) if cursor.fetchone() else Slice()


def _unwind(operation_id: UUID, *, deadline: float) -> None:
    """Put back what a cancelled operation has queued, as far as the time allows."""
    cancelled: int | None = 0
    while cancelled is not None and time.monotonic() < deadline:
        with transaction.atomic():
            hurry_locks(_LOCK_SECONDS)
            cancelled = cancel_next_run(operation_id)
    cancel_unclaimed_entries(operation_id)


def _end(operation_id: UUID) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_SQL["end_operation"], {"id": operation_id})
        if cursor.fetchone() is not None:
            _record_end(operation_id)


def _record_end(operation_id: UUID) -> None:
    def read_counts() -> dict[str, int]:
        return asdict(read_tallies([operation_id]).get(operation_id, Tally()))

    record_operation_end(Operation.objects.get(pk=operation_id), read_counts)
