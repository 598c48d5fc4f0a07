"""What waits: runs that may begin, runs without a job, and entries that are due."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from entries.models import Entry
from entries.states import EntryStatus
from retry.holds.condition import STOPPED, find_active_holds, run_is_held
from retry.models import Run, RunState
from retry.runs.ramp import Ramp, Waiting
from retry.runs.routing import choose_queue

#: Runs by age; those that were made together, by the entries in them.
BY_AGE = ("created_at", "position", "entry_ids__0")
#: Runs that are looked at for those a ramp lets go on.
_LOOKED_AT = 5_000


def find_startable() -> QuerySet[Run]:
    """Queued runs that a worker may begin: not on hold, of no operation or one that is going on."""
    stopped = Q(operation__state__in=STOPPED)
    return Run.objects.filter(state=RunState.QUEUED).exclude(stopped).exclude(run_is_held())


def find_undispatched(*, limit: int, ramp: Ramp | None = None) -> list[Run]:
    """Runs without a job, because Redis was away or they were held; oldest first.

    Of those that waited for a hold that was just lifted, as many as the ``ramp`` allows.
    """
    found = find_startable().filter(dispatched_at=None).order_by(*BY_AGE)
    if not ramp:
        return list(found[:limit])
    covered = ramp.condition("created_at")
    others = list(found.exclude(covered).values_list("pk", flat=True)[:limit])
    columns = ("pk", "kind", "upstream", "source_id", "created_at", "size")
    rows = found.filter(covered).values_list(*columns)[:_LOOKED_AT]
    taken = ramp.take((_waiting_run(row) for row in rows), limit=limit)
    wanted = [*others, *(item.id for item in taken)]
    return list(Run.objects.filter(pk__in=wanted).order_by(*BY_AGE))


def _waiting_run(row: Sequence[Any]) -> Waiting[UUID]:
    return Waiting(*row)


def find_due_entries(*, limit: int, ramp: Ramp | None = None) -> list[int]:
    """Ids of scheduled entries whose automatic retry is due and not on hold, oldest first.

    Of those that waited for a hold that was just lifted, as many as the ``ramp`` allows.
    """
    due = Entry.objects.filter(status=EntryStatus.SCHEDULED, next_attempt_at__lte=Now())
    on_hold = find_active_holds()
    if on_hold:
        due = due.exclude(on_hold.condition())
    due = due.order_by("pk")
    if not ramp:
        return list(due.values_list("pk", flat=True)[:limit])
    covered = ramp.condition("next_attempt_at")
    others = list(due.exclude(covered).values_list("pk", flat=True)[:limit])
    columns = ("pk", "kind", "upstream", "source_id", "next_attempt_at")
    rows = due.filter(covered).values_list(*columns)[:limit]
    taken = ramp.take((_waiting_entry(row) for row in rows), limit=limit)
    return sorted([*others, *(item.id for item in taken)])[:limit]


def _waiting_entry(row: Sequence[Any]) -> Waiting[int]:
    return Waiting(*row)


def set_aside(run_id: UUID) -> None:
    """Note of a run that could not be claimed and is still queued that its job is used up.

    The dispatcher hands it over once it may begin, at the next tick instead of after it was missed
    in Redis for a while; then no click has to wait behind it.
    """
    waiting = Run.objects.filter(id=run_id, state=RunState.QUEUED)
    kind = waiting.values_list("kind", flat=True).first()
    if kind is not None:
        waiting.filter(probe=True).update(dispatched_at=None)
        waiting.filter(probe=False).update(dispatched_at=None, queue=choose_queue(kind, bulk=True))
