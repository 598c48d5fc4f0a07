"""The library of tasks: Django's own where it has one (6.0), else the package django-tasks.

Both have the same classes; a few have another name or place.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

ROOT = "django.tasks" if find_spec("django.tasks") else "django_tasks"

if TYPE_CHECKING:
    from django_tasks import task_backends
    from django_tasks.backends.base import BaseTaskBackend
    from django_tasks.base import Task, TaskContext, TaskError, TaskResult, TaskResultStatus
    from django_tasks.exceptions import InvalidTaskError as InvalidTask
    from django_tasks.exceptions import TaskResultDoesNotExist
    from django_tasks.signals import task_enqueued, task_finished, task_started
    from django_tasks.utils import normalize_json
else:
    try:
        _root = import_module(ROOT)
    except ImportError as error:
        raise ImportError("tasks need Django 6, or the package django-tasks") from error
    _base, _exceptions, _signals, _backends = (
        import_module(f"{ROOT}.{name}")
        for name in ("base", "exceptions", "signals", "backends.base")
    )
    _json = "django.utils.json" if ROOT == "django.tasks" else f"{ROOT}.utils"

    task_backends = _root.task_backends
    BaseTaskBackend = _backends.BaseTaskBackend
    Task, TaskContext, TaskError = _base.Task, _base.TaskContext, _base.TaskError
    TaskResult, TaskResultStatus = _base.TaskResult, _base.TaskResultStatus
    InvalidTask = getattr(_exceptions, "InvalidTask", None) or _exceptions.InvalidTaskError
    TaskResultDoesNotExist = _exceptions.TaskResultDoesNotExist
    task_enqueued, task_started = _signals.task_enqueued, _signals.task_started
    task_finished = _signals.task_finished
    normalize_json = import_module(_json).normalize_json

__all__ = [
    "ROOT",
    "BaseTaskBackend",
    "InvalidTask",
    "Task",
    "TaskContext",
    "TaskError",
    "TaskResult",
    "TaskResultDoesNotExist",
    "TaskResultStatus",
    "normalize_json",
    "task_backends",
    "task_enqueued",
    "task_finished",
    "task_started",
]
