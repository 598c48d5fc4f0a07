"""Runs that wait for a worker: which may begin, and which have no job."""

from uuid import UUID

from django.db.models import Q, QuerySet

from retry.held import STOPPED, run_is_held
from retry.models import Run, RunState

#: Runs by age; those that were made together, by the entries in them.
BY_AGE = ("created_at", "position", "entry_ids__0")


def startable() -> QuerySet[Run]:
    """Queued runs that a worker may begin: not on hold, of no operation or one that is going on."""
    stopped = Q(operation__state__in=STOPPED)
    return Run.objects.filter(state=RunState.QUEUED).exclude(stopped).exclude(run_is_held())


def undispatched(*, limit: int) -> list[Run]:
    """Runs that never reached Redis, or whose job came while they were held; oldest first."""
    found = startable().filter(dispatched_at=None).order_by(*BY_AGE)
    return list(found[:limit])


def set_aside(run_id: UUID) -> None:
    """Note of a run that could not be claimed and is still queued that its job is used up.

    The dispatcher hands it over once it may begin, at the next tick instead of after it was missed
    in Redis for a while.
    """
    Run.objects.filter(id=run_id, state=RunState.QUEUED).update(dispatched_at=None)
