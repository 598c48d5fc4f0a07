"""Taking a run's unfinished entries away from a worker that has died or stopped answering."""

from collections.abc import Iterable
from uuid import uuid4

from django.db import transaction

from entries import transitions
from entries.errors import WorkerLost
from entries.text import describe_error
from retry import audit
from retry.models import Run, Trigger
from retry.outcomes import Actor
from retry.runs.creation import RunMember, create_runs, rescue_limits, transfer_members
from retry.runs.handover import Handover
from retry.runs.lifecycle import end_run, lock_lapsed

DISPATCHER = Actor.system("dispatcher")


def rescue(run: Run, *, actor: Actor = DISPATCHER) -> int:
    """Take a lapsed run's unfinished entries away from it; returns how many were taken.

    What nobody had begun goes on together in a new run. What was running is retried alone, one
    run each, so that the entry that kills workers is caught by itself.
    """
    with transaction.atomic():
        # The lock comes first: a worker that was only slow renews before it, or finds itself out.
        if not lock_lapsed(run.id):
            return 0
        cause = f"worker {run.worker} stopped answering"
        # How far it had begun nobody can say any more.
        return take_away(run, cause=cause, began=False, actor=actor)


def take_away(run: Run, *, cause: str, began: bool, actor: Actor) -> int:
    """Within the caller's transaction, which has locked the run."""
    error = describe_error(WorkerLost(cause))
    rescued = transitions.rescue(
        run.entry_ids, run_id=run.id, rescue_limits=rescue_limits(), error=error, began=began
    )
    new_run_id = uuid4()
    waiting = transitions.reassign(run.entry_ids, run_id=run.id, new_run_id=new_run_id)
    # Last, so that the tallies count what has just been written.
    end_run(run, worker=run.worker)
    alone = [
        RunMember(id=r.id, kind=r.kind, attempt=r.attempt, run_id=r.run_id, source_id=run.source_id)
        for r in rescued
        if r.run_id is not None
    ]
    together = transfer_members(run, waiting, run_id=new_run_id)
    Handover(
        _runs(run, alone, Trigger.RESCUE, actor) + _runs(run, together, Trigger(run.trigger), actor)
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


def _runs(run: Run, placed: Iterable[RunMember], trigger: Trigger, actor: Actor) -> list[Run]:
    return create_runs(
        placed,
        trigger=trigger,
        actor=actor,
        reason=run.reason,
        bulk=run.queue == "bulk",
        parent=run,
    )
