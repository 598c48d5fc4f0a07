"""Probes: runs of a single entry that may begin although the breaker holds what they depend on."""

from uuid import UUID, uuid4

from entries import transitions
from retry.models import Run, RunState, Trigger
from retry.outcomes import Actor
from retry.runs.creation import create_runs, transfer_members
from retry.runs.routing import choose_queue


def make_probe(run: Run, *, entry_id: int, upstream: str) -> Run | None:
    """Make a probe of one queued entry of ``run``; None where the run has lost that entry.

    In the caller's transaction, which has locked the run. A larger run keeps its other entries, so
    that the counts over the runs of an operation stay true.
    """
    return _mark(run, upstream) if run.size == 1 else _split(run, entry_id, upstream)


def dismiss_probe(run_id: UUID) -> bool:
    """Make a queued probe a run like any other; False where it is not queued."""
    queued = Run.objects.filter(pk=run_id, state=RunState.QUEUED)
    return bool(queued.update(probe=False))


def _mark(run: Run, upstream: str) -> Run:
    """Where no click waits behind it. A job that it still has finds the run claimed."""
    Run.objects.filter(pk=run.pk).update(
        probe=True,
        queue=choose_queue(run.kind, bulk=False),
        dispatched_at=None,
        upstream=upstream or run.upstream,
    )
    return run


def _split(run: Run, entry_id: int, upstream: str) -> Run | None:
    new_run_id = uuid4()
    moved = transitions.reassign([entry_id], run_id=run.pk, new_run_id=new_run_id)
    created = create_runs(
        transfer_members(run, moved, run_id=new_run_id, upstream=upstream),
        trigger=Trigger(run.trigger),
        actor=Actor.system(run.actor_label),
        reason=run.reason,
        bulk=False,
        parent=run,
        held=True,
        probe=True,
    )
    if not created:
        return None
    rest = [id_ for id_ in run.entry_ids if id_ not in moved]
    Run.objects.filter(pk=run.pk).update(entry_ids=rest, size=len(rest))
    return created[0]
