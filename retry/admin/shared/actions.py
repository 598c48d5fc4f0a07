"""What actions are called on the screen."""

from dataclasses import dataclass

from retry.models import Action

#: Where people choose between the two.
RETRY_OR_RESYNC = (
    "Retry runs the stored input again. Resync fetches the input from its source first. If the "
    "source cannot be read, the entry keeps its status."
)
REPAIR = "Repair changes the payloads of many entries at once, after a preview, and retries them."


@dataclass(frozen=True, slots=True)
class ActionWords:
    """``do`` as on the button, in lower case; ``done`` to an entry; ``help`` for the choice."""

    do: str
    done: str
    help: str = ""


_WORDS = {
    Action.RETRY: ActionWords("retry", "retried", RETRY_OR_RESYNC),
    Action.RESYNC: ActionWords("resync", "resynced", RETRY_OR_RESYNC),
    Action.RETRY_NOW: ActionWords("retry now", "retried now"),
    Action.STOP: ActionWords("stop retrying", "stopped"),
    Action.DISCARD: ActionWords("discard", "discarded"),
    Action.RESTORE: ActionWords("restore", "restored"),
    Action.REPAIR: ActionWords("repair and retry", "repaired and retried", REPAIR),
    Action.UNDO: ActionWords("undo the repair", "undone"),
}


def describe_action(action: str) -> ActionWords:
    return _WORDS[Action(action)]
