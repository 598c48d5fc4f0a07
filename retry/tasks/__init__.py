"""Django's tasks: functions that ``@task`` made, enqueued as entries of the kind ``task``.

``TASKS = {"default": {"BACKEND": "retry.tasks.RedriveBackend"}}``
"""

from typing import TYPE_CHECKING, Any

from retry.tasks.retries import automatic_retries

if TYPE_CHECKING:
    from retry.tasks.backend import RedriveBackend

__all__ = ["RedriveBackend", "automatic_retries"]


def __getattr__(name: str) -> Any:
    # The kind is registered in every process, the library is imported where it is used: a
    # desk without tasks needs neither Django 6 nor django-tasks.
    if name == "RedriveBackend":
        from retry.tasks.backend import RedriveBackend

        return RedriveBackend
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
