"""What has become of a task, as the library describes it."""

import builtins
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from entries import errors as domain_errors
from entries.errors import EntriesError
from entries.models import Attempt, Entry
from entries.states import AttemptStatus, EntryStatus
from retry.tasks.calls import EXCEPTION, RETURN_VALUE, TASK, Call, find_task
from retry.tasks.origin import (
    InvalidTask,
    Task,
    TaskError,
    TaskResult,
    TaskResultStatus,
)

#: Tracebacks that are read: of the last failures.
_MOST_ERRORS = 20
_STATUSES = {
    EntryStatus.RUNNING: TaskResultStatus.RUNNING,
    EntryStatus.SUCCEEDED: TaskResultStatus.SUCCESSFUL,
    EntryStatus.FAILED: TaskResultStatus.FAILED,
    # Nothing will be done about it.
    EntryStatus.DISCARDED: TaskResultStatus.FAILED,
}


def find_result(**lookup: Any) -> "TaskResult[Any] | None":
    """Find the result of the entry of a task; None without one. Three statements.

    Raises ``UnknownTask`` where its function is gone, ``PermanentError`` for an odd payload.
    """
    entry = Entry.objects.filter(kind=TASK, **lookup).first()
    if entry is None:
        return None
    call = Call.parse(entry.payload)
    attempts = list(entry.attempts.defer("traceback").order_by("number"))
    progress = [attempt.find_progress(entry) for attempt in attempts]
    begun = [step for step in progress if step.started_at is not None]
    status = _STATUSES.get(EntryStatus(entry.status), TaskResultStatus.READY)
    result: TaskResult[Any] = TaskResult(
        task=_restore_task(call),
        id=entry.external_id,
        status=status,
        enqueued_at=entry.created_at,
        started_at=begun[0].started_at if begun else None,
        last_attempted_at=begun[-1].started_at if begun else None,
        finished_at=_find_end(entry, attempts),
        args=list(call.args),
        kwargs=dict(call.kwargs),
        backend=call.backend,
        errors=list(_list_errors(attempts)),
        worker_ids=[step.worker for step in begun],
    )
    if status == TaskResultStatus.SUCCESSFUL:
        set_fields(result, _return_value=_read_value(entry.result))
    return result


def set_fields(result: "TaskResult[Any]", **values: Any) -> None:
    """Set fields of a result, which is frozen: the library's own backends do so as well."""
    for name, value in values.items():
        object.__setattr__(result, name, value)


def _restore_task(call: Call) -> "Task[Any, Any]":
    """Return the task as it was enqueued, or as it is defined where that is no longer allowed."""
    task = find_task(call.path)
    with contextlib.suppress(InvalidTask, ImproperlyConfigured, KeyError):
        return replace(
            task,
            priority=call.priority,
            queue_name=call.queue_name or task.queue_name,
            run_after=call.run_after,
            backend=call.backend or task.backend,
        )
    return task


def _read_value(result: Any) -> Any:
    return result.get(RETURN_VALUE) if isinstance(result, Mapping) else None


def _find_end(entry: Entry, attempts: Sequence[Attempt]) -> datetime | None:
    if entry.status == EntryStatus.DISCARDED:
        return entry.status_changed_at
    if entry.status in {EntryStatus.SUCCEEDED, EntryStatus.FAILED} and attempts:
        return attempts[-1].ended_at or entry.status_changed_at
    return None


def _list_errors(attempts: Iterable[Attempt]) -> Iterable[TaskError]:
    failed = [a for a in attempts if a.status in {AttemptStatus.FAILED, AttemptStatus.LOST}]
    if not failed:
        return
    last = [attempt.pk for attempt in failed[-_MOST_ERRORS:]]
    tracebacks = dict(Attempt.objects.filter(pk__in=last).values_list("pk", "traceback"))
    for attempt in failed:
        if attempt.error_class or attempt.status == AttemptStatus.FAILED:
            text = tracebacks.get(attempt.pk) or f"{attempt.error_class}: {attempt.error_message}\n"
            yield TaskError(exception_class_path=_find_class(attempt), traceback=text)


def _find_class(attempt: Attempt) -> str:
    """Return the path of the class of an error, as it was noted, or by its name."""
    noted = attempt.result.get(EXCEPTION) if isinstance(attempt.result, Mapping) else None
    if isinstance(noted, str) and noted:
        return noted
    if hasattr(domain_errors, attempt.error_class):
        return f"{EntriesError.__module__}.{attempt.error_class}"
    known = getattr(builtins, attempt.error_class, None)
    is_error = isinstance(known, type) and issubclass(known, BaseException)
    return f"builtins.{attempt.error_class if is_error else 'Exception'}"
