"""The backend that enqueues tasks as entries."""

from typing import Any
from uuid import uuid4

from entries.errors import EntriesError
from entries.models import Entry
from entries.request_ids import get_id
from entries.sources.base import SourceItem
from entries.sources.items import MAX_TITLE
from retry import service
from retry.errors import InvalidItems
from retry.outcomes import Actor, Channel
from retry.tasks.calls import TASK, Call, find_task, is_path
from retry.tasks.origin import (
    BaseTaskBackend,
    InvalidTask,
    Task,
    TaskResult,
    TaskResultDoesNotExist,
    TaskResultStatus,
    task_enqueued,
)
from retry.tasks.results import find_result, set_fields

#: Characters of an id that the library allows.
_LONGEST_ID = 64


class RedriveBackend(BaseTaskBackend):
    """Each task is an entry; a worker calls its function, and what fails can be retried.

    Options: ``packages``, which tasks may be in beside installed apps and the project's own.
    """

    supports_defer = True
    supports_async_task = True
    supports_get_result = True
    #: Two steps: what is above 0 begins before what waits.
    supports_priority = True

    def enqueue(self, task: "Task[Any, Any]", args: Any, kwargs: Any) -> "TaskResult[Any]":
        """Store a task and queue it after the commit of the caller's transaction.

        Raises ``InvalidTask`` where it cannot be called or stored, and as the library does where
        the arguments are not JSON.
        """
        self.validate_task(task)
        _check_known(task)
        result: TaskResult[Any] = TaskResult(
            task=task,
            id=str(uuid4()),
            status=TaskResultStatus.READY,
            enqueued_at=None,
            started_at=None,
            last_attempted_at=None,
            finished_at=None,
            args=args,
            kwargs=kwargs,
            backend=self.alias,
            errors=[],
            worker_ids=[],
        )
        call = Call(
            task.module_path,
            result.args,
            result.kwargs,
            backend=self.alias,
            queue_name=task.queue_name,
            priority=task.priority,
            run_after=task.run_after,
        )
        item = SourceItem(result.id, task.module_path[:MAX_TITLE], call.as_payload())
        try:
            [entry_id] = service.enqueue_entries(
                [item],
                kind=TASK,
                run_after=task.run_after,
                ahead=task.priority > 0,
                actor=Actor("application", Channel.SYSTEM, request_id=get_id()[:64]),
            )
        except InvalidItems as error:
            why = "; ".join(error.problems.values())
            raise InvalidTask(f"The call of {task.module_path} cannot be stored: {why}") from error
        # The same as a later look will say.
        created = Entry.objects.values_list("created_at", flat=True)
        set_fields(result, enqueued_at=created.get(pk=entry_id))
        task_enqueued.send(type(self), task_result=result)
        return result

    def get_result(self, result_id: str) -> "TaskResult[Any]":
        """Return what has become of a task. Raises ``TaskResultDoesNotExist``."""
        known = len(str(result_id)) <= _LONGEST_ID
        try:
            result = find_result(source=None, external_id=str(result_id)) if known else None
        except EntriesError as error:
            raise TaskResultDoesNotExist(f"{result_id}: {error}") from error
        if result is None:
            raise TaskResultDoesNotExist(result_id)
        return result


def _check_known(task: "Task[Any, Any]") -> None:
    """Find out now what a worker would: that it can be found by its path."""
    if not is_path(task.module_path):
        raise InvalidTask("Task function must be defined at a module level.")
    try:
        found = find_task(task.module_path)
    except EntriesError as error:
        raise InvalidTask(str(error)) from error
    if found.func is not task.func:
        raise InvalidTask(f"{task.module_path} is another task.")
