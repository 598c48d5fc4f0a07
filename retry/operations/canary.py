"""Choosing the entries that go first, out of what is planned."""

from uuid import uuid4

from retry.holds.condition import run_is_held
from retry.models import Action, Operation, Run, RunState


def draw(operation: Operation, *, wanted: int | None = None, held_too: bool = True) -> int:
    """Make the next ``wanted`` planned entries, ``canary_size`` unless given, the canary; return
    how many there are. What is on hold is chosen only where nothing else is left, and not at all
    unless ``held_too``.

    In the caller's transaction, which holds the operation's lock. A run that is larger than what
    is wanted is divided, so that a canary never holds more than was asked for.
    """
    wanted = asked = operation.canary_size if wanted is None else wanted
    planned = Run.objects.filter(operation=operation, state=RunState.PLANNED)
    if Action(operation.action).by_workers:
        free = planned.exclude(run_is_held())
        planned = free if not held_too or free.exists() else planned
    for run in planned.order_by("position", "id").select_for_update()[:wanted].iterator():
        if run.size > wanted:
            _divide(run, first=wanted)
        Run.objects.filter(pk=run.pk).update(canary=True)
        wanted -= run.size
        if not wanted:
            break
    return asked - wanted


def dismiss(operation: Operation) -> None:
    """What is left of a canary that has passed, because it is on hold, is judged like the rest."""
    left = Run.objects.filter(
        operation=operation, canary=True, state__in=(RunState.PLANNED, RunState.QUEUED)
    )
    left.update(canary=False)


def _divide(run: Run, *, first: int) -> None:
    """Leave the ``first`` entries in ``run`` and plan the others in a run behind it."""
    ids = run.entry_ids
    rest = Run.objects.get(pk=run.pk)
    rest.pk, rest.entry_ids, rest.size = uuid4(), ids[first:], run.size - first
    rest.canary = False
    rest.save(force_insert=True)
    run.entry_ids, run.size = ids[:first], first
    run.save(update_fields=["entry_ids", "size"])
