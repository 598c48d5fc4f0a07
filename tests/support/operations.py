"""Operations over entries that a test has just made, and their way to the end."""

from entries.filters import EntryFilter
from entries.models import Attempt, Entry
from entries.states import EntryStatus
from retry.dispatcher.loop import Dispatcher
from retry.models import Action, Operation, Run
from retry.operations import control
from retry.operations.pace import Pace
from retry.operations.progress import Progress, read_progress
from retry.operations.selection import Selection
from retry.worker import run_worker
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT
from tests.support.servers import wait_until

FAILED = Selection(filter=EntryFilter(status=EntryStatus.FAILED))


def failed(count: int, **payload: object) -> list[int]:
    made = EntryFactory.create_batch(count, failed=True, kind="grouped", payload=payload)
    return [entry.id for entry in made]


def start(selection: Selection = FAILED, **options: object) -> Operation:
    pace = Pace(**options)  # type: ignore[arg-type]
    return control.start(selection, action=Action.RETRY, actor=SCRIPT, reason="again", pace=pace)


def work() -> None:
    run_worker("bulk", burst=True)


def to_the_end(operation: Operation) -> Progress:
    dispatcher = Dispatcher()

    def finished() -> bool:
        dispatcher.tick()
        work()
        return read_progress(operation.pk).finished

    wait_until(finished, timeout=20)
    return read_progress(operation.pk)


def consistent(found: Progress) -> bool:
    return (
        found.planned + found.queued + found.running + found.settled == found.total
        and found.total == Operation.objects.get(pk=found.operation.pk).total
    )


def failed_operation(entry: Entry) -> Operation:
    """An operation of somebody else's, in which the entry failed."""
    operation = control.start(Selection(ids=(entry.pk,)), action=Action.RETRY, actor=SCRIPT)
    run = Run.objects.get(operation=operation)
    Run.objects.filter(pk=run.pk).update(state="finished", failed=1)
    Attempt.objects.filter(entry=entry).update(run_id=run.pk)
    Operation.objects.filter(pk=operation.pk).update(state="completed")
    return operation
