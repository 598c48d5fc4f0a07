"""Taking back what a cancelled operation has queued."""

from uuid import UUID

from django.db.models.functions import Now

from entries import transitions
from retry.models import Run, RunState


def cancel_next_run(operation_id: UUID) -> int | None:
    """Cancel one queued run and put its entries back; return how many, or None without a run.

    Must be called in a transaction. Runs that another process has locked are passed over.
    """
    queued = Run.objects.filter(operation_id=operation_id, state=RunState.QUEUED)
    run = queued.order_by("position").select_for_update(skip_locked=True).first()
    if run is None:
        return None
    cancelled = transitions.cancel(run.entry_ids, run_id=run.id)
    Run.objects.filter(pk=run.pk).update(
        state=RunState.CANCELLED, ended_at=Now(), cancelled=len(cancelled)
    )
    return len(cancelled)


def cancel_unclaimed_entries(operation_id: UUID) -> int:
    """Put back the entries of running runs that no worker has claimed; return how many.

    The runs stay with their workers, which count the cancelled entries when they end.
    """
    return sum(
        len(transitions.cancel(run.entry_ids, run_id=run.id))
        for run in Run.objects.filter(operation_id=operation_id, state=RunState.RUNNING)
    )
