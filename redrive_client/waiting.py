"""What can be waited for, and when it is over."""

from collections.abc import Mapping
from typing import Any

#: Seconds that one request waits at the desk.
SPAN = 30
#: States of what has not ended, and stands still until a person does something.
_STOPPED = {"paused", "awaiting_approval"}


def has_ended(progress: Mapping[str, Any]) -> bool:
    """Whether an operation, a run or a sync has ended."""
    return progress.get("finished_at") is not None


def is_over(progress: Mapping[str, Any]) -> bool:
    """Whether it has ended, or does not go on until a person does something."""
    return has_ended(progress) or progress["state"] in _STOPPED


def find_address(thing: Mapping[str, Any] | str) -> str:
    """Return the address of an operation, a run or a sync, from what the desk answered about it.

    A string is the address itself, such as ``operations/6f0c…``. Raises ``ValueError`` for what
    cannot be waited for.
    """
    if isinstance(thing, str):
        return thing
    for key, folder in (("operation_id", "operations"), ("run_id", "runs"), ("sync_id", "syncs")):
        if thing.get(key) is not None:
            return f"{folder}/{thing[key]}"
    if thing.get("progress_url"):
        return str(thing["progress_url"])
    raise ValueError("this is no operation, run or sync: it has no operation_id, run_id or sync_id")
