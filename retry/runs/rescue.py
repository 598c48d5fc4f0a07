"""Rescue: a run's unfinished entries are taken from a worker that has died or stopped answering."""

from collections.abc import Iterable
from uuid import uuid4

from django.db import transaction

from entries import transitions
from entries.errors import WorkerLost
from entries.states import EntryStatus
from entries.text import describe_error
from entries.transitions import Outcome
from retry import audit, outcome_counts, signals
from retry.models import Run, Trigger
from retry.outcomes import Actor
from retry.runs.creation import RunMember, create_runs, read_rescue_limits, transfer_members
from retry.runs.handover import Handover
from retry.runs.lifecycle import end_run, lock_lapsed_run
from retry.sentences import WORKER_SILENT

DISPATCHER = Actor.system("dispatcher")


def rescue(run: Run, *, actor: Actor = DISPATCHER) -> int:
    """Take the unfinished entries from a run whose lease has expired; return how many.

    What had not begun continues together in a new run. What was running is retried alone, one run
    each, so that an entry that kills workers is found by itself.
    """
    with transaction.atomic():
        # Lock first: a worker that was only slow renews before, or finds its run gone.
        if not lock_lapsed_run(run.id):
            return 0
        cause = WORKER_SILENT(worker=run.worker)
        # How far the worker had begun is not known any more.
        return take_entries(run, cause=cause, began=False, actor=actor)


def take_entries(run: Run, *, cause: str, began: bool, actor: Actor) -> int:
    """Take the unfinished entries from a run, end it, and return how many were taken.

    In the caller's transaction, which has locked the run. ``began``: whether what was claimed is
    known to have begun.
    """
    error = describe_error(WorkerLost(cause))
    rescued = transitions.rescue(
        run.entry_ids, run_id=run.id, rescue_limits=read_rescue_limits(), error=error, began=began
    )
    failures = [Outcome(r.id, EntryStatus.FAILED, error=error) for r in rescued if r.run_id is None]
    outcome_counts.append_failures(failures, run=run)
    transaction.on_commit(lambda: signals.announce(failures, run=run), robust=True)
    outcome_counts.append_losses(len(rescued) - len(failures), run=run)
    new_run_id = uuid4()
    waiting = transitions.reassign(run.entry_ids, run_id=run.id, new_run_id=new_run_id)
    # Last, because it counts what the two statements before have written.
    end_run(run, worker=run.worker)
    alone = [
        RunMember(id=r.id, kind=r.kind, attempt=r.attempt, run_id=r.run_id, source_id=run.source_id)
        for r in rescued
        if r.run_id is not None
    ]
    together = transfer_members(run, waiting, run_id=new_run_id)
    Handover(
        _continue(run, alone, trigger=Trigger.RESCUE, actor=actor)
        + _continue(run, together, trigger=Trigger(run.trigger), actor=actor)
    )
    if rescued or waiting:
        audit.record(
            "rescue",
            actor=actor,
            count=len(rescued) + len(waiting),
            run_id=run.id,
            entry_id=rescued[0].id if len(rescued) == 1 else None,
            reason=error.message,
            before={"worker": run.worker},
            after={
                "queued": len(alone) + len(together),
                "failed": len(rescued) - len(alone),
            },
        )
    return len(rescued) + len(waiting)


def _continue(
    run: Run, members: Iterable[RunMember], *, trigger: Trigger, actor: Actor
) -> list[Run]:
    return create_runs(
        members,
        trigger=trigger,
        actor=actor,
        reason=run.reason,
        bulk=run.queue == "bulk",
        parent=run,
    )
