"""What a payload of ``celery_task`` says: whether its task can be sent, and where to; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from entries.errors import PermanentError
from entries.foreign_celery import State

_REPAIR = 'the repair "read_arguments", or edit "args" and "kwargs"'
#: Why arguments that are not in the payload are not known, by what was known when it was read.
_UNKNOWN = {
    State.TEXT: f"only Celery's text of the arguments is known: look at it, and use {_REPAIR}",
    State.ENCODED: 'the arguments are pickled there, and not read: edit "args" and "kwargs"',
    State.LARGE: 'the arguments are too large to be read: edit "args" and "kwargs"',
    State.MISSING: "the arguments are not kept there (result_extended is off): "
    'edit "args" and "kwargs"',
}


class TaskNotSendable(PermanentError):
    """Not all is known that a truthful message needs.

    ``code`` is stable, and part of the result: ``arguments_text``, ``no_broker``, ….
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{message} ({code})", result={"refused": code})
        self.code = code


@dataclass(frozen=True, slots=True)
class Call:
    """A task with its arguments, and where it is sent to."""

    task: str
    queue: str
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    broker: str
    prefix: str


def read_call(payload: Mapping[str, Any], options: Mapping[str, Any]) -> Call:
    """Return what is to be sent. ``options``: the source's. Raises ``TaskNotSendable``."""
    task, queue = read_text(payload, "task"), read_text(payload, "queue")
    if not task:
        raise TaskNotSendable("no_task", 'the payload has no "task": its name is not kept there')
    if not queue or queue not in list_queues(options):
        raise TaskNotSendable("other_queue", f"the source does not name the queue {queue[:100]!r}")
    broker = read_text(options, "broker")
    if not broker:
        raise TaskNotSendable("no_broker", 'the source has no "broker", so nothing is sent')
    args, kwargs = payload.get("args"), payload.get("kwargs")
    if args is None or kwargs is None:
        raise _refuse_arguments(payload)
    if not isinstance(args, list) or not isinstance(kwargs, Mapping):
        raise TaskNotSendable("arguments_invalid", '"args" must be a list, "kwargs" an object')
    return Call(task, queue, args, kwargs, broker, read_text(options, "prefix"))


def find_problems(payload: Mapping[str, Any]) -> list[str]:
    """Return what keeps an edited payload from being sent, in words."""
    found = [
        f'"{name}" must be a text' for name in ("task", "queue") if not read_text(payload, name)
    ]
    if not isinstance(payload.get("args"), list):
        found.append('"args" must be a list')
    if not isinstance(payload.get("kwargs"), Mapping):
        found.append('"kwargs" must be an object')
    if "lost_before" in payload and read_time(payload) is None:
        found.append('"lost_before" must be a time with its zone, such as 2026-11-30T08:00:00Z')
    return found


def list_queues(options: Mapping[str, Any]) -> set[str]:
    """Return the queues that a source names."""
    routes = options.get("routes")
    texts = [text for text in routes if isinstance(text, str)] if isinstance(routes, list) else []
    return {read_text(options, "queue") or "celery", *(text.partition("=")[2] for text in texts)}


def read_time(payload: Mapping[str, Any]) -> datetime | None:
    """Return ``lost_before``; None where it is missing or no time with a zone."""
    try:
        time = datetime.fromisoformat(read_text(payload, "lost_before"))
    except ValueError:
        return None
    return time if time.tzinfo else None


def read_text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""


def _refuse_arguments(payload: Mapping[str, Any]) -> TaskNotSendable:
    try:
        state = State(read_text(payload, "arguments"))
    except ValueError:
        state = State.MISSING
    words = _UNKNOWN.get(state, _UNKNOWN[State.MISSING])
    return TaskNotSendable(f"arguments_{state.value}", words)
