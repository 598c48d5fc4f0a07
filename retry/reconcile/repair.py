"""Putting right what ``compare`` and the leases show, through the same transitions as ever."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.db import connection, transaction

from entries import transitions
from entries.errors import SourceError, WorkerLost
from entries.text import describe_error
from retry import audit
from retry.activity import Seen
from retry.models import Run, RunState, Trigger
from retry.outcomes import Actor
from retry.processing import out_of_time
from retry.reconcile.observe import WorkId, lapsed
from retry.recording import record
from retry.rescanning import Found, rescan
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
WORKER = Actor.system("worker")

#: After so long without a look PostgreSQL was away, or this process was.
AWAY_SECONDS = 3.0
#: What workers have then to come back.
PATIENCE_SECONDS = 3.0


def hand_over_again(missing: Sequence[WorkId]) -> int:
    """Runs, syncs and imports that Redis lost; returns how many reached it now."""
    ids = [id_ for id_ in missing if isinstance(id_, UUID)]  # no two tables share one
    runs = Run.objects.filter(id__in=ids, state=RunState.QUEUED).order_by(*BY_AGE)
    imports = rows.waiting_imports().filter(pk__in=ids).order_by("created_at")
    sync_ids = [id_ for id_ in missing if isinstance(id_, int)]
    syncs = rows.waiting().filter(pk__in=sync_ids).order_by("pk")
    return hand_over(list(runs)) + rows.hand_over([*syncs, *imports])


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """What a worker knows of a work-horse that died: how far it had begun what it had claimed, and
    what it was at where it had to be killed because its time was up.
    """

    begun_to: int
    cause: str
    late: Seen | None = None


def settle(run: Run, death: Death, *, actor: Actor = WORKER) -> int:
    """Take a dead work-horse's run away from it, at once; returns how many entries were taken.

    What had begun is retried alone, what was claimed and had not begun goes on with the rest. What
    was out of time has failed by that, as if it had been interrupted from within.
    """
    if death.late is not None:
        _end_late(run, death.late)
    with transaction.atomic():
        held = Run.objects.filter(id=run.id, state=RunState.RUNNING, worker=run.worker)
        if not held.select_for_update().exists():
            return 0
        waiting = [id_ for id_ in run.entry_ids if id_ > death.begun_to]
        transitions.release(waiting, run_id=run.id)
        return _take_away(run, cause=death.cause, began=True, actor=actor)


def _end_late(run: Run, late: Seen) -> None:
    if late.entry_id:
        held = transitions.claim([late.entry_id], run_id=run.id, worker=run.worker)
        if endings := [out_of_time(entry, run=run) for entry in held]:
            # Who settles has a patience of its own.
            record(run, endings, worker=run.worker, give_up=lambda: True)
    else:
        # It was reading its source, which would take as long the next time.
        error = describe_error(SourceError("timeout", "reading the source took too long"))
        claimed = transitions.claim(run.entry_ids, run_id=run.id, worker=run.worker)
        rescan(claimed, Found({}, error), run=run)


class LapsedRuns:
    """Finds runs whose lease has lapsed, to be rescued: none just after PostgreSQL was away.

    No worker could renew then, and each that lives is about to write what it has done meanwhile.
    One object for each control loop, which is asked at every look.
    """

    def __init__(self) -> None:
        self._looked: float | None = None
        self._patient_until = 0.0

    def find(self, *, limit: int) -> list[Run]:
        now = time.monotonic()
        if self._was_away(now):
            self._patient_until = now + PATIENCE_SECONDS
        self._looked = now
        return [] if now < self._patient_until else lapsed(limit=limit)

    def _was_away(self, now: float) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SHOW transaction_read_only")
            if cursor.fetchone() == ("on",):
                return True
        # Looks that all take long must not put it off for ever.
        spared = now < self._patient_until + 5 * PATIENCE_SECONDS
        return self._looked is not None and now - self._looked > AWAY_SECONDS and not spared


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
        return _take_away(run, cause=cause, began=False, actor=actor)


def _take_away(run: Run, *, cause: str, began: bool, actor: Actor) -> int:
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
        Placed(id=r.id, kind=r.kind, attempt=r.attempt, run_id=r.run_id, source_id=run.source_id)
        for r in rescued
        if r.run_id is not None
    ]
    together = moved_on(run, waiting, run_id=new_run_id)
    Handing(
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


def _runs(run: Run, placed: Iterable[Placed], trigger: Trigger, actor: Actor) -> list[Run]:
    return create_runs(
        placed,
        trigger=trigger,
        actor=actor,
        reason=run.reason,
        bulk=run.queue == "bulk",
        parent=run,
    )
