"""What the payload of a task says: which function to call, with what.

Payloads can be made by hand. So a function is found by its path only if it is a task, and nothing
is imported but the project's own modules.
"""

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self

from django.apps import apps
from django.conf import settings

from entries.errors import PermanentError

if TYPE_CHECKING:
    from retry.tasks.origin import Task

#: The name of the kind.
TASK = "task"
#: In the result of a successful attempt, and of a failed one.
RETURN_VALUE, EXCEPTION = "return_value", "exception"
#: Of the application's backends.
PACKAGES = "packages"


class UnknownTask(PermanentError):
    """A payload names no task that may be called."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a task. ``path`` is that of its function, with dots."""

    path: str
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    backend: str = ""
    queue_name: str = ""
    priority: int = 0
    run_after: datetime | None = None

    @classmethod
    def parse(cls, payload: Mapping[str, Any]) -> Self:
        """Read a payload. Raises ``PermanentError`` where it is no call."""
        if problems := find_problems(payload):
            raise PermanentError(f"the payload is no call of a task: {'; '.join(problems)}")
        priority, run_after = payload.get("priority"), payload.get("run_after")
        return cls(
            path=payload["task"],
            args=payload.get("args", []),
            kwargs=payload.get("kwargs", {}),
            backend=str(payload.get("backend", "")),
            queue_name=str(payload.get("queue_name", "")),
            priority=priority if isinstance(priority, int) else 0,
            run_after=_parse_moment(run_after),
        )

    def as_payload(self) -> dict[str, Any]:
        payload = {
            "task": self.path,
            "args": self.args,
            "kwargs": self.kwargs,
            "backend": self.backend,
            "queue_name": self.queue_name,
            "priority": self.priority,
        }
        after = self.run_after
        return payload if after is None else payload | {"run_after": after.isoformat()}


def _parse_moment(value: Any) -> datetime | None:
    """Read a time that says when a task was to run; what people wrote over it counts as none."""
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def find_problems(payload: Mapping[str, Any]) -> list[str]:
    """Return, in words, what keeps a payload from being a call; empty for nothing."""
    found = []
    if not is_path(payload.get("task")):
        found.append('"task" must be the path of a function: "shop.tasks.send_invoice"')
    if not isinstance(payload.get("args", []), list):
        found.append('"args" must be a list')
    if not isinstance(payload.get("kwargs", {}), dict):
        found.append('"kwargs" must be an object')
    return found


def is_path(value: Any) -> bool:
    """Say whether it is the path of a function: names with dots between them."""
    if not isinstance(value, str):
        return False
    names = value.split(".")
    return len(names) > 1 and all(name.isidentifier() for name in names)


def find_task(path: str) -> "Task[Any, Any]":
    """Find the task at ``path``, of which ``is_path`` is true. Raises ``UnknownTask``, and what
    its module raises.
    """
    from retry.tasks.origin import Task

    module, _, name = path.rpartition(".")
    if module not in sys.modules and module.partition(".")[0] not in list_packages():
        raise UnknownTask(
            f"{module} is in no installed app: name its package in TASKS, OPTIONS, {PACKAGES}"
        )
    try:
        found = getattr(import_module(module), name, None)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise  # something that the module imports is missing
        raise UnknownTask(f"there is no module {module}: was it renamed?") from error
    if not isinstance(found, Task):
        raise UnknownTask(f"there is no task {path}: was it renamed, or is it not at that name?")
    return found


def list_packages() -> set[str]:
    """List the packages that modules of tasks may be in: those of installed apps, of the project,
    and what the options of a backend name.
    """
    own = {config.name for config in apps.get_app_configs()}
    with suppress(AttributeError):  # settings may be made without a module
        own |= {settings.ROOT_URLCONF, settings.SETTINGS_MODULE or ""}
    for backend in read_backends().values():
        own.update(backend.get("OPTIONS", {}).get(PACKAGES, ()))
    return {name.partition(".")[0] for name in own if name}


def read_backends() -> Mapping[str, Mapping[str, Any]]:
    """Read the setting ``TASKS``, which Django 5.2 does not have."""
    with suppress(AttributeError):
        return settings.TASKS or {}
    return {}
