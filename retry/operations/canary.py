"""Choosing the entries that go first, out of what is planned."""

from uuid import uuid4

from retry.models import Operation, Run, RunState


def draw(operation: Operation) -> int:
    """Make the next ``canary_size`` planned entries the canary; return how many there are.

    In the caller's transaction, which holds the operation's lock. A run that is larger than what
    is wanted is divided, so that a canary never holds more than was asked for.
    """
    planned = Run.objects.filter(operation=operation, state=RunState.PLANNED)
    wanted = operation.canary_size
    for run in planned.order_by("position", "id").select_for_update()[:wanted].iterator():
        if run.size > wanted:
            _divide(run, first=wanted)
        Run.objects.filter(pk=run.pk).update(canary=True)
        wanted -= run.size
        if not wanted:
            break
    return operation.canary_size - wanted


def _divide(run: Run, *, first: int) -> None:
    """Leave the ``first`` entries in ``run`` and plan the others in a run behind it."""
    ids = run.entry_ids
    rest = Run.objects.get(pk=run.pk)
    rest.pk, rest.entry_ids, rest.size = uuid4(), ids[first:], run.size - first
    rest.canary = False
    rest.save(force_insert=True)
    run.entry_ids, run.size = ids[:first], first
    run.save(update_fields=["entry_ids", "size"])
