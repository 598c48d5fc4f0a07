"""The dispatcher's part in operations: start what may start, judge, unwind, complete."""

import json
import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Now

from entries import transitions
from retry import audit
from retry.dispatcher.failure_limit import judge, room
from retry.holds.condition import find_active_holds, run_is_held
from retry.limits import hurry_locks
from retry.models import Action, Operation, OperationState, PauseCause, Run, RunState
from retry.outcomes import Actor
from retry.reasons import Reason, reason_for
from retry.runs.handover import Handover
from retry.runs.job_ids import operation_job_id

logger = logging.getLogger(__name__)

PACER = Actor.system("dispatcher")
#: Entries that are started in one transaction.
BATCH_ENTRIES = 5_000
_RUNS_AT_ONCE = 500
#: What the pace allowed and nobody took lapses: after an outage nothing is caught up on.
_SAVED_SECONDS = 2.0
_GOING_ON = (OperationState.PLANNED, OperationState.RUNNING)
#: Of one tick, for all operations together; the next tick follows at once.
SLICE_SECONDS = 2.0
#: A step waits so long for rows that somebody else holds; its operation waits for the next tick.
_LOCK_SECONDS = 0.5

_QUEUE_RUN = """
UPDATE retry_run r
SET state = CASE WHEN t.left_out = r.size OR %(settled)s THEN 'finished' ELSE 'queued' END,
    skipped = t.skipped::jsonb, skipped_counts = t.counts::jsonb, skipped_count = t.left_out,
    succeeded = CASE WHEN %(settled)s THEN r.size - t.left_out ELSE 0 END,
    job_id = t.job_id, dispatches = 1, dispatched_at = now(),
    started_at = CASE WHEN %(settled)s THEN now() END,
    ended_at = CASE WHEN t.left_out = r.size OR %(settled)s THEN now() END
FROM unnest(%(ids)s::uuid[], %(skipped)s::text[], %(counts)s::text[], %(left)s::int[],
            %(jobs)s::text[]) AS t (id, skipped, counts, left_out, job_id)
WHERE r.id = t.id
"""


def pace(do: Callable[[Callable[[], int]], int] = lambda act: act()) -> int:
    """Do what can be done now for every open operation; returns how many entries were started.

    ``do`` does the part of each, so that one that cannot go on keeps no other waiting.
    """
    deadline = time.monotonic() + SLICE_SECONDS
    open_ones = Operation.objects.filter(ended_at=None).order_by("created_at")
    return sum(do(partial(_go_on, operation, deadline=deadline)) for operation in open_ones)


def _go_on(operation: Operation, *, deadline: float) -> int:
    if operation.state == OperationState.CANCELLED:
        unwind(operation.pk, deadline=deadline)
    started = 0
    while time.monotonic() < deadline:
        done = step(operation.pk)
        started += done
        if not done:
            break
    settle(operation.pk)
    return started


def start_one(kind: str) -> bool:
    """Start one run of a kind that the breaker holds, so that there is something to probe with."""
    going_on = Operation.objects.filter(state__in=_GOING_ON, ended_at=None)
    wanting = going_on.filter(
        Exists(Run.objects.filter(operation=OuterRef("pk"), kind=kind, state=RunState.PLANNED))
    )
    return any(
        step(operation.pk, probing=kind)
        for operation in wanting.order_by("created_at")
        if Action(operation.action).by_workers
    )


def step(operation_id: UUID, *, probing: str = "") -> int:
    """Start the next runs in one transaction, as many as pace, canary and limit allow by now.

    ``probing``: one run of that kind, although the breaker holds it.
    """
    with transaction.atomic():
        hurry_locks(_LOCK_SECONDS)
        operation = Operation.objects.select_for_update().get(pk=operation_id)
        if operation.state not in _GOING_ON:
            return 0
        if operation.state == OperationState.PLANNED:
            _begin(operation)
        verdict = judge(operation)
        if verdict.pause and _has_more(operation):
            _pause(operation, verdict.pause, cause=verdict.cause)
            return 0
        if verdict.wait:
            return 0
        most, lapsed = _allowance(operation)
        runs = _next(operation, most, canary_only=verdict.canary_only, probing=probing)
        if not runs:
            return 0
        _start(operation, runs)
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
    """Whether anything is left that a pause would keep from starting."""
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


def _next(operation: Operation, allowed: float, *, canary_only: bool, probing: str) -> list[Run]:
    """Planned runs in order, up to what the pace allows and one transaction should hold.

    Those on hold are passed over: the others need not wait for them.
    """
    planned = Run.objects.filter(operation=operation, state=RunState.PLANNED)
    if probing:
        planned = planned.filter(kind=probing).exclude(source_id__in=find_active_holds().source_ids)
    elif Action(operation.action).by_workers:  # what is held may still be discarded
        planned = planned.exclude(run_is_held())
    if canary_only:
        planned = planned.filter(canary=True)
    most = min(allowed, 1 if probing else BATCH_ENTRIES)
    judged = room(operation)
    chosen: list[UUID] = []
    size = 0
    # Sizes first: the ids of runs that do not go now are not worth reading.
    ordered = planned.order_by("position", "id").values_list("id", "size")
    for run_id, entries in ordered[:_RUNS_AT_ONCE]:
        # The pace may be overdrawn by one run, which holds a second's worth at the most; what the
        # failure limit leaves room for may not, but for a run that would never fit.
        if size >= most or not judged.takes(size, entries):
            break
        chosen.append(run_id)
        size += entries
    return list(planned.filter(id__in=chosen).order_by("position", "id").select_for_update())


def _allowance(operation: Operation) -> tuple[float, int]:
    """How many more entries the pace allows by now, without a pace any number, and how many
    more it would have allowed, which lapse with what is started next.
    """
    if operation.rate_per_second is None:
        return float("inf"), 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp() - %s)", [operation.resumed_at])
        elapsed = float(cursor.fetchone()[0])
    left = elapsed * operation.rate_per_second - operation.paced_entries
    most = min(left, max(1.0, operation.rate_per_second * _SAVED_SECONDS))
    return most, int(left - most)


def _start(operation: Operation, runs: Sequence[Run]) -> None:
    """Move the entries, write down who was left alone and why, hand the rest over."""
    wanted = [(entry_id, run.id) for run in runs if run.kind for entry_id in run.entry_ids]
    skipped: dict[UUID, dict[str, list[int]]] = {run.id: {} for run in runs}
    # Without a kind: not there when the selection was frozen, or hidden from who asked.
    for run in runs:
        if not run.kind:
            skipped[run.id][Reason.NOT_FOUND.value] = list(run.entry_ids)
    for left in transitions.move(wanted, verb=operation.action):
        reason = reason_for(left.status, verb=operation.action, has_source=left.has_source)
        if reason is not None:
            skipped[left.run_id].setdefault(reason.value, []).extend(left.ids)
    counts = {
        run_id: {reason: len(ids) for reason, ids in reasons.items()}
        for run_id, reasons in skipped.items()
    }
    left_out = {run_id: sum(by_reason.values()) for run_id, by_reason in counts.items()}
    for run in runs:
        run.job_id = operation_job_id(run.id, operation_id=operation.pk, position=run.position)
    with connection.cursor() as cursor:
        cursor.execute(
            _QUEUE_RUN,
            {
                "settled": not Action(operation.action).by_workers,
                "ids": [run.id for run in runs],
                "skipped": [json.dumps(skipped[run.id]) for run in runs],
                "counts": [json.dumps(counts[run.id]) for run in runs],
                "left": [left_out[run.id] for run in runs],
                "jobs": [run.job_id for run in runs],
            },
        )
    if Action(operation.action).by_workers:
        Handover([run for run in runs if left_out[run.id] < run.size])


def unwind(operation_id: UUID, *, deadline: float) -> int:
    """Put back what a cancelled operation has queued; returns how many entries were put back."""
    back = 0
    while time.monotonic() < deadline:
        with transaction.atomic():
            hurry_locks(_LOCK_SECONDS)
            waiting = Run.objects.filter(operation_id=operation_id, state=RunState.QUEUED)
            run = waiting.order_by("position").select_for_update(skip_locked=True).first()
            if run is None:
                break
            cancelled = transitions.cancel(run.entry_ids, run_id=run.id)
            Run.objects.filter(pk=run.pk).update(
                state=RunState.CANCELLED, ended_at=Now(), cancelled=len(cancelled)
            )
            back += len(cancelled)
    # Of a run that a worker holds, what it has not begun; the worker writes the tallies.
    for run in Run.objects.filter(operation_id=operation_id, state=RunState.RUNNING):
        back += len(transitions.cancel(run.entry_ids, run_id=run.id))
    return back


_SETTLE = """
UPDATE retry_operation o
SET state = CASE o.state WHEN 'cancelled' THEN o.state ELSE 'completed' END, ended_at = now()
WHERE o.id = %s AND o.ended_at IS NULL AND o.state IN ('running', 'paused', 'cancelled')
AND NOT EXISTS (
    SELECT FROM retry_run r
    WHERE r.operation_id = o.id AND r.state IN ('planned', 'queued', 'running'))
RETURNING o.id
"""


def settle(operation_id: UUID) -> bool:
    """Note the end of an operation of which nothing is left to do."""
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, [operation_id])
        return cursor.fetchone() is not None
