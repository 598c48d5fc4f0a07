"""Putting right what ``compare`` and the leases show, through the same transitions as ever."""

from collections.abc import Iterable, Sequence
from uuid import UUID, uuid4

from django.db import transaction

from entries import transitions
from entries.errors import WorkerLost
from entries.text import describe_error
from retry import audit
from retry.models import Run, RunState, Trigger
from retry.outcomes import Actor
from retry.reconcile.observe import WorkId
from retry.runs import (
    Handing,
    Placed,
    create_runs,
    end_run,
    hand_over,
    lock_lapsed,
    moved_on,
    rescue_limits,
)
from retry.syncs import rows
from retry.waiting import BY_AGE

DISPATCHER = Actor.system("dispatcher")


def hand_over_again(missing: Sequence[WorkId]) -> int:
    """Runs, syncs and imports that Redis lost; returns how many reached it now."""
    ids = [id_ for id_ in missing if isinstance(id_, UUID)]  # no two tables share one
    runs = Run.objects.filter(id__in=ids, state=RunState.QUEUED).order_by(*BY_AGE)
    imports = rows.waiting_imports().filter(pk__in=ids).order_by("created_at")
    sync_ids = [id_ for id_ in missing if isinstance(id_, int)]
    syncs = rows.waiting().filter(pk__in=sync_ids).order_by("pk")
    return hand_over(list(runs)) + rows.hand_over([*syncs, *imports])


def rescue(run: Run, *, actor: Actor = DISPATCHER) -> int:
    """Take a lapsed run's unfinished entries away from it; returns how many were taken.

    What nobody had begun goes on together in a new run. What was running is retried alone, one
    run each, so that the entry that kills workers is caught by itself.
    """
    with transaction.atomic():
        # The lock comes first: a worker that was only slow renews before it, or finds itself out.
        if not lock_lapsed(run.id):
            return 0
        error = describe_error(WorkerLost(f"worker {run.worker} stopped answering"))
        rescued = transitions.rescue(
            run.entry_ids, run_id=run.id, rescue_limits=rescue_limits(), error=error
        )
        new_run_id = uuid4()
        waiting = transitions.reassign(run.entry_ids, run_id=run.id, new_run_id=new_run_id)
        # Last, so that the tallies count what has just been written.
        end_run(run, worker=run.worker)
        alone = [
            Placed(
                id=r.id,
                kind=r.kind,
                attempt=r.attempt,
                run_id=r.run_id,
                source_id=run.source_id,
            )
            for r in rescued
            if r.run_id is not None
        ]
        together = moved_on(run, waiting, run_id=new_run_id)
        Handing(
            _runs(run, alone, Trigger.RESCUE, actor)
            + _runs(run, together, Trigger(run.trigger), actor)
        )
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


def _runs(run: Run, placed: Iterable[Placed], trigger: Trigger, actor: Actor) -> list[Run]:
    return create_runs(
        placed,
        trigger=trigger,
        actor=actor,
        reason=run.reason,
        bulk=run.queue == "bulk",
        parent=run,
    )
