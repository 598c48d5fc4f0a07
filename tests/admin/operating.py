"""Operations for tests of the admin: entries to act on, and an engine in this process."""

from typing import Any

from entries.filters import EntryFilter
from entries.states import EntryStatus
from retry.dispatcher.loop import Dispatcher
from retry.models import Action, Operation
from retry.operations import control
from retry.operations.pace import Pace
from retry.operations.progress import read_progress
from retry.operations.selection import Selection
from retry.worker import run_worker
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT
from tests.support.servers import wait_until

OPERATIONS = "/admin/retry/operation/"
PREVIEW = f"{OPERATIONS}preview/"
FAILED = Selection(filter=EntryFilter(status=EntryStatus.FAILED))


def failed(count: int = 1, *, do: str = "succeed", **fields: Any) -> list[int]:
    """Ids of failed entries; ``do``: what comes of the next attempt."""
    made = EntryFactory.create_batch(
        count, failed=True, kind="grouped", payload={"do": do, "message": "HTTP 500"}, **fields
    )
    return [entry.pk for entry in made]


def started(
    selection: Selection = FAILED, *, action: Action = Action.RETRY, reason: str = "", **pace: Any
) -> Operation:
    return control.start(selection, action=action, actor=SCRIPT, reason=reason, pace=Pace(**pace))


def step() -> None:
    """The dispatcher looks once, and a worker takes what is queued."""
    Dispatcher().tick()
    run_worker("bulk", burst=True)


def finish(operation: Operation) -> None:
    def finished() -> bool:
        step()
        return read_progress(operation.pk).finished

    wait_until(finished, timeout=20)


def url_of(operation: Operation, verb: str = "change") -> str:
    return f"{OPERATIONS}{operation.pk}/{verb}/"
