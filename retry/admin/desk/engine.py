"""What the status page shows of the engine: workers with their tasks, holds, and sizes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from django.core.cache import cache
from django.http import HttpRequest

from retry.access.records import visible_runs
from retry.access.visibility import find_sources, sees_everything
from retry.admin.holds import words as holds
from retry.admin.shared.actor import get_actor
from retry.heartbeats import WorkerView
from retry.holds.overview import list_active, shield
from retry.models import Hold
from retry.outcomes import Actor
from retry.retention.overview import RuleView, list_rules
from retry.store_sizes import StoreSizes, read_sizes
from retry.worker_tasks import WorkerTask, read_tasks

_SIZES_SECONDS = 60
#: Holds on the page; the page of holds has all of them.
MOST_HOLDS = 20


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """``counted``: the user may know how many entries are under way."""

    worker: WorkerView
    tasks: Sequence[WorkerTask]
    counted: bool


@dataclass(frozen=True, slots=True)
class HoldList:
    """``more``: how many holds are not listed."""

    holds: Sequence[Hold]
    more: int


def list_worker_rows(request: HttpRequest, workers: Sequence[WorkerView]) -> list[WorkerRow]:
    """List workers with what they are at now."""
    actor = get_actor(request)
    tasks = read_tasks(worker.run_id for worker in workers if worker.run_id is not None)
    if not find_sources(actor).everything:
        tasks = _keep_visible(tasks, actor=actor)
    counted = sees_everything(actor)
    return [
        WorkerRow(worker, tasks.get(worker.run_id, ()) if worker.run_id else (), counted)
        for worker in workers
    ]


def _keep_visible(
    tasks: Mapping[UUID, Sequence[WorkerTask]], *, actor: Actor
) -> Mapping[UUID, Sequence[WorkerTask]]:
    """Leave out the runs that are hidden."""
    ids = [task.run_id for found in tasks.values() for task in found]
    seen = set(visible_runs(actor).filter(pk__in=ids).values_list("pk", flat=True))
    return {
        first: [task for task in found if task.run_id in seen] for first, found in tasks.items()
    }


def list_holds(request: HttpRequest) -> HoldList | None:
    """List what is on hold; None for users who may not see holds."""
    if not holds.may_view(request):
        return None
    actor = get_actor(request)
    active = shield(list_active(actor)[: MOST_HOLDS + 1], actor=actor)
    more = list_active(actor).count() - MOST_HOLDS if len(active) > MOST_HOLDS else 0
    return HoldList(active[:MOST_HOLDS], more)


def get_sizes() -> StoreSizes:
    """Return the sizes of a minute ago at most: they change slowly."""
    return cast("StoreSizes", cache.get_or_set("redrive.sizes", read_sizes, _SIZES_SECONDS))


def get_retention() -> Sequence[RuleView]:
    """Return what is kept how long, and what goes next; of a minute ago at most."""
    return cast(
        "Sequence[RuleView]", cache.get_or_set("redrive.retention", list_rules, _SIZES_SECONDS)
    )
