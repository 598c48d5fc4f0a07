"""The kind ``task``: calls the function of a task."""

import asyncio
import inspect
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError
from django.utils import timezone
from django.utils.translation import gettext_noop

from entries.database.release import release_connection
from entries.errors import EntriesError, PermanentError, TimeLimitExceeded, TransientError
from entries.kinds.base import AttemptData, EntryData, Kind, RetryPolicy
from entries.kinds.registry import register
from entries.text import NotJSON, NotStorable, clean_json
from retry.tasks.calls import (
    EXCEPTION,
    RETURN_VALUE,
    TASK,
    Call,
    find_problems,
    find_task,
    is_path,
)
from retry.tasks.retries import find_policy

if TYPE_CHECKING:
    from retry.tasks.origin import Task, TaskResult

#: Of a value that a function returns, as JSON: with its frame it fits into an entry's result.
_MAX_VALUE_BYTES = 60 * 1024
#: What the library's own backends raise for values that cannot be stored.
_NAMED_AS: Mapping[type, type] = {NotJSON: TypeError, NotStorable: ValueError}


@register
class TaskKind(Kind):
    """Payload: ``task``, the path of a function that is a task, its ``args`` and ``kwargs``.

    ``backend``, ``queue_name``, ``priority`` and ``run_after`` say how it was enqueued. The result
    is ``{"return_value": …}``. Tasks of one function fail together: it is their upstream.
    """

    name: ClassVar[str] = TASK
    description: ClassVar[str] = gettext_noop("Calls a function of the project: a Django task.")
    time_limit: ClassVar[float] = settings.REDRIVE_TASK_TIME_LIMIT
    concurrency: ClassVar[int] = settings.REDRIVE_TASK_CONCURRENCY
    #: Small, because tasks may take minutes and other workers take no part in a run.
    run_size: ClassVar[int] = 10
    retry_policy: ClassVar[RetryPolicy] = RetryPolicy(
        limit=settings.REDRIVE_TASK_AUTOMATIC_RETRIES,
        first_delay=settings.REDRIVE_TASK_FIRST_DELAY,
        on=(Exception,),
    )
    payload_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "required": ["task"],
        "properties": {
            "task": {"type": "string", "description": "path of the function: shop.tasks.send"},
            "args": {"type": "array"},
            "kwargs": {"type": "object"},
        },
    }

    def process(self, entry: EntryData, attempt: AttemptData) -> Mapping[str, Any]:
        call = Call.parse(entry.payload)
        try:
            task = find_task(call.path)
            result = _read_result(entry)
        except ImportError as error:
            raise PermanentError(f"{call.path} cannot be imported: {error}") from error
        _announce(result, started=True)
        try:
            value = self._call(task, call, result)
        except (Exception, SystemExit) as error:
            _note_class(error)
            _announce(result, error=error)
            raise
        _announce(result, value=value)
        return {RETURN_VALUE: value}

    def upstream(self, payload: Mapping[str, Any], *, source: str | None) -> str:
        """Return the path of the function."""
        path = payload.get("task")
        return path if isinstance(path, str) and is_path(path) else ""

    def find_retry_policy(self, payload: Mapping[str, Any]) -> RetryPolicy:
        """Return the function's own policy, or else that of the settings."""
        try:
            policy = find_policy(find_task(Call.parse(payload).path).func)
        except (EntriesError, ImportError):
            return self.retry_policy
        return self.retry_policy if policy is None else policy

    def problems_with(self, payload: Mapping[str, Any]) -> list[str]:
        if problems := find_problems(payload):
            return problems
        try:
            find_task(payload["task"])
        except (EntriesError, ImportError) as error:
            return [str(error)]
        return []

    def _call(self, task: "Task[Any, Any]", call: Call, result: "TaskResult[Any]") -> Any:
        from retry.tasks.origin import TaskContext

        args = [TaskContext(task_result=result)] if task.takes_context else []
        if inspect.iscoroutinefunction(task.func):
            value = async_to_sync(self._await)(task, [*args, *call.args], call.kwargs)
        else:
            value = task.func(*args, *call.args, **call.kwargs)
        return _clean(value, path=call.path)

    async def _await(self, task: "Task[Any, Any]", args: list[Any], kwargs: Any) -> Any:
        # The worker's own limit would interrupt the thread that waits, not the coroutine.
        seconds = self.time_limit - min(1.0, self.time_limit / 10)
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await task.func(*args, **kwargs)
        except TimeoutError as error:
            if limit.expired():
                raise TimeLimitExceeded(f"took longer than {seconds:g} s") from error
            raise


def _read_result(entry: EntryData) -> "TaskResult[Any]":
    from retry.tasks.results import find_result

    try:
        result = find_result(pk=entry.id)
    except (InterfaceError, InternalError, OperationalError) as error:
        raise TransientError("the task could not be read: PostgreSQL is away") from error
    finally:
        release_connection()  # tasks may take minutes
    if result is None:
        raise PermanentError("there is no such entry of a task")
    return result


def _clean(value: Any, *, path: str) -> Any:
    """Return what a function returned as it is stored. Its work is done, so no error of this is
    retried automatically.
    """
    from retry.tasks.origin import normalize_json

    try:
        return clean_json(normalize_json(value), max_bytes=_MAX_VALUE_BYTES)
    except NotStorable as error:
        raise NotStorable(f"what {path} returned cannot be stored: {error}") from error
    except (TypeError, ValueError) as error:
        raise NotJSON(f"what {path} returned is not JSON: {error}") from error


def _note_class(error: BaseException) -> None:
    """Leave the path of the error's class for the attempt's result, where nothing else is."""
    if getattr(error, "result", None) is None:
        with suppress(Exception):
            error.result = {EXCEPTION: _find_path(error)}  # type: ignore[attr-defined]


def _find_path(error: BaseException) -> str:
    cls = _NAMED_AS.get(type(error), type(error))
    return f"{cls.__module__}.{cls.__qualname__}"


def _announce(
    result: "TaskResult[Any]",
    *,
    started: bool = False,
    value: Any = None,
    error: BaseException | None = None,
) -> None:
    """Send the library's signals; a receiver that raises changes nothing."""
    from traceback import format_exception

    from retry.tasks import origin
    from retry.tasks.backend import RedriveBackend
    from retry.tasks.results import set_fields

    status = origin.TaskResultStatus
    if started:
        origin.task_started.send_robust(RedriveBackend, task_result=result)
        return
    if error is None:
        set_fields(result, status=status.SUCCESSFUL, _return_value=value)
    else:
        text = "".join(format_exception(error))
        result.errors.append(
            origin.TaskError(exception_class_path=_find_path(error), traceback=text)
        )
        set_fields(result, status=status.FAILED)
    set_fields(result, finished_at=timezone.now())
    origin.task_finished.send_robust(RedriveBackend, task_result=result)
