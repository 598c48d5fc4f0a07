"""Outcomes and refusals in words: the one place of the admin that has them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest
from django.utils.text import capfirst

from entries.errors import EntriesError
from entries.states import EntryStatus
from retry.errors import (
    EmptySelection,
    NothingEligible,
    NotPermitted,
    OperationFinished,
    QueueUnavailable,
    RetryError,
)
from retry.holds.control import describe_target
from retry.models import Action, Hold, Operation, Sync, SyncState
from retry.outcomes import ItemOutcome, QueueOutcome
from retry.reasons import Reason

#: Of what was asked for and has not happened yet: green is for what has.
WAITS = messages.INFO

_REDIS_IS_DOWN = "Redis cannot be reached; {} when it is back."

_WHY_NOT_RETRYABLE = {
    EntryStatus.PENDING: "It has not been tried yet.",
    EntryStatus.QUEUED: "It is queued and waits for a worker.",
    EntryStatus.RUNNING: "It is with a worker right now.",
    EntryStatus.SCHEDULED: "Its automatic retry is due soon.",
    EntryStatus.SUCCEEDED: "It has succeeded, and has no source to be fetched from anew.",
    EntryStatus.DISCARDED: "It was discarded.",
}


#: What became of an operation's entries, in the order in which it happens.
OUTCOMES = {
    "succeeded": "succeeded",
    "failed": "failed again",
    "scheduled": "scheduled",
    "unchanged": "unchanged",
    "skipped": "skipped",
    "cancelled": "cancelled",
    "running": "running",
    "queued": "queued",
    "planned": "planned",
}

#: What a sync found, in the order in which it is told.
SYNCED = {
    "created": "new",
    "updated": "changed",
    "unchanged": "as before",
    "gone": "gone",
    "invalid": "invalid",
}
#: The same of a dry run.
WOULD = {
    "created": "would be new",
    "updated": "would change",
    "unchanged": "would stay",
    "gone": "would be gone",
    "invalid": "invalid",
}
#: Where people choose between them.
RETRY_OR_RESYNC = (
    "Retry runs the stored input again. Resync fetches it from its source first, then runs what it "
    "got; where the source cannot be read, the entry stays what it was."
)
_CONTROLLED = {
    "pause": "Paused: nothing more of it starts until somebody resumes it.",
    "resume": "It goes on.",
    "overrule": "Resumed without a canary.",
    "cancel": "Cancelled: nothing more of it starts, and what was waiting is put back as it was.",
}


@dataclass(frozen=True, slots=True)
class Worded:
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class ActionWords:
    """What staff calls an action: to ``do`` it, and when it is ``done`` to something."""

    do: str
    done: str
    #: What it means, where people choose.
    help: str = ""


_ACTIONS = {
    Action.RETRY: ActionWords("retry", "retried", RETRY_OR_RESYNC),
    Action.RESYNC: ActionWords("resync", "resynced", RETRY_OR_RESYNC),
    Action.RETRY_NOW: ActionWords("retry now", "retried now"),
    Action.STOP: ActionWords("stop retrying", "stopped"),
    Action.DISCARD: ActionWords("discard", "discarded"),
    Action.RESTORE: ActionWords("restore", "restored"),
}


def show(request: HttpRequest, worded: Iterable[Worded]) -> None:
    for message in worded:
        messages.add_message(request, message.level, message.text)


def of_selection(outcome: QueueOutcome | Sequence[ItemOutcome]) -> Iterable[Worded]:
    """``3 queued, 1 skipped (already running).`` Without a queue: ``3 stopped, …``"""
    if isinstance(outcome, QueueOutcome):
        yield _tally(outcome.queued, outcome.skipped, done="queued", level=WAITS)
        if not outcome.dispatched:
            yield _redis_is_down(one=outcome.queued == 1)
    else:
        skipped = Counter(item.reason for item in outcome if item.reason is not None)
        stopped = len(outcome) - skipped.total()
        yield _tally(stopped, skipped, done="stopped", level=messages.SUCCESS)


def _tally(count: int, skipped: Mapping[Reason, int], *, done: str, level: int) -> Worded:
    parts = [f"{count:,} {done}"] if count else [f"Nothing was {done}"]
    if skipped:
        parts.append(_skipped(skipped, "skipped"))
    return Worded(level if count else messages.WARNING, f"{', '.join(parts)}.")


def of_one(item: ItemOutcome, *, dispatched: bool) -> Iterable[Worded]:
    yield Worded(WAITS, f"Entry {item.entry_id} is queued for attempt {item.attempt}.")
    if not dispatched:
        yield _redis_is_down(one=True)


def of_sync(sync: Sync, slug: str) -> Iterable[Worded]:
    """Of one that has just been asked for, or was under way already."""
    if sync.state == SyncState.RUNNING:
        doing = "compared" if sync.dry_run else "synced"
        yield Worded(WAITS, f"{slug} is being {doing} right now.")
        return
    do = "say what a sync of" if sync.dry_run else "sync"
    then = " would change" if sync.dry_run else ""
    yield Worded(WAITS, f"A worker will {do} {slug}{then} as soon as one is free.")
    if not sync.dispatched:
        yield _redis_is_down(one=True)


def of_stopped(item: ItemOutcome) -> Worded:
    text = f"Entry {item.entry_id} is failed: no automatic retry comes any more."
    return Worded(messages.SUCCESS, text)


def of_action(action: str) -> ActionWords:
    return _ACTIONS[Action(action)]


def preview_title(action: Action) -> str:
    return f"{of_action(action).do.capitalize()} in bulk"


def operation_title(operation: Operation) -> str:
    """``Retry 1,200 entries``"""
    entries = "entry" if operation.total == 1 else "entries"
    return f"{of_action(operation.action).do.capitalize()} {operation.total:,} {entries}"


def of_pace(rate_per_second: float | None) -> str:
    if rate_per_second is None:
        return "as fast as it goes"
    return f"{rate_per_second:g} entries a second"


def of_failure_rate(rate: float | None) -> str:
    return "" if rate is None else f"{rate * 100:g}%"


def of_started(operation: Operation) -> Worded:
    entries = "entry is" if operation.total == 1 else "entries are"
    done = of_action(operation.action).done
    return Worded(WAITS, f"{operation.total:,} {entries} being {done}.")


def of_the_same_form() -> Worded:
    text = "This form had started this operation before; nothing was started twice."
    return Worded(messages.WARNING, text)


def of_control(verb: str) -> Worded:
    return Worded(messages.SUCCESS, _CONTROLLED[verb])


def of_hold(hold: Hold) -> Worded:
    what = capfirst(describe_target(hold))
    if hold.lifted_at is None:
        text = f"{what} is on hold: nothing of it starts until the hold is lifted."
    else:
        text = f"{what} goes on: what has waited starts by itself, the oldest first."
    return Worded(messages.SUCCESS, text)


def of_refusal(error: RetryError | EntriesError) -> Worded:
    match error:
        case NotPermitted():
            text = f"You may not do this: it needs the permission {error.permission}."
        case QueueUnavailable():
            text = "Redis cannot be reached, so nothing was asked for. Try again when it is back."
        case EmptySelection():
            text = "Nothing was chosen, so there is nothing to do."
        case NothingEligible():
            text = _nothing_eligible(error)
        case OperationFinished():
            text = f"It is {error.state} already, so nothing of it can be changed any more."
        case _:
            text = str(error) or "This was refused."
    return Worded(messages.ERROR, text)


def _nothing_eligible(error: NothingEligible) -> str:
    """``Nothing can be restored: 2 left alone (not discarded). Nothing was started.``"""
    done = of_action(error.action).done
    if not error.skipped:
        return f"Nothing can be {done}: no entry matches. Nothing was started."
    return f"Nothing can be {done}: {_skipped(error.skipped, 'left alone')}. Nothing was started."


def _skipped(skipped: Mapping[Reason, int], word: str) -> str:
    """``3 skipped (2 not failed, 1 not found)``"""
    reasons = sorted((reason.words, count) for reason, count in skipped.items())
    words = (
        reasons[0][0]
        if len(reasons) == 1
        else ", ".join(f"{count:,} {reason}" for reason, count in reasons)
    )
    return f"{sum(skipped.values()):,} {word} ({words})"


def why_not_retryable(status: str) -> str:
    return _WHY_NOT_RETRYABLE.get(EntryStatus(status), "")


def _redis_is_down(*, one: bool) -> Worded:
    they = "it will start by itself" if one else "they will start by themselves"
    return Worded(messages.WARNING, _REDIS_IS_DOWN.format(they))
