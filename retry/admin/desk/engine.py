"""What the status page shows of the engine: workers with their tasks, holds, and sizes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from django.core.cache import cache
from django.http import HttpRequest

from retry.access.visibility import sees_everything
from retry.admin.holds import words as holds
from retry.admin.shared.actor import get_actor
from retry.heartbeats import WorkerView
from retry.holds.overview import list_active
from retry.models import Hold
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
    tasks = read_tasks(worker.run_id for worker in workers if worker.run_id is not None)
    counted = sees_everything(get_actor(request))
    return [
        WorkerRow(worker, tasks.get(worker.run_id, ()) if worker.run_id else (), counted)
        for worker in workers
    ]


def list_holds(request: HttpRequest) -> HoldList | None:
    """List what is on hold; None for users who may not see holds."""
    if not holds.may_view(request):
        return None
    active = list(list_active()[: MOST_HOLDS + 1])
    more = list_active().count() - MOST_HOLDS if len(active) > MOST_HOLDS else 0
    return HoldList(active[:MOST_HOLDS], more)


def get_sizes() -> StoreSizes:
    """Return the sizes of a minute ago at most: they change slowly."""
    return cast("StoreSizes", cache.get_or_set("redrive.sizes", read_sizes, _SIZES_SECONDS))
