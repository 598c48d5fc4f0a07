"""Messages after an action: what happened, and why something was refused."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext

from entries.errors import EntriesError
from entries.states import EntryStatus
from retry.admin.shared.actions import describe_action
from retry.errors import (
    EmptySelection,
    NothingEligible,
    NotPermitted,
    OperationFinished,
    QueueUnavailable,
    RetryError,
)
from retry.outcomes import ItemOutcome, QueueOutcome
from retry.reasons import Reason

#: For what is accepted and has not happened yet; green is for what has.
PENDING = messages.INFO

_WHY_NO_VERB = {
    EntryStatus.PENDING: "This entry has not been tried yet.",
    EntryStatus.QUEUED: "This entry is queued.",
    EntryStatus.RUNNING: "A worker is processing this entry now.",
    EntryStatus.SCHEDULED: "This entry waits for its next automatic retry.",
    EntryStatus.SUCCEEDED: "This entry has succeeded. It has no source to resync from.",
    EntryStatus.DISCARDED: "This entry was discarded. To retry it, restore it first.",
}


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence with its level, as ``django.contrib.messages`` counts them."""

    level: int
    text: str


def add_messages(request: HttpRequest, *added: Message) -> None:
    for message in added:
        messages.add_message(request, message.level, message.text)


def count_entries(count: int) -> str:
    """``1 entry``, ``1,200 entries``"""
    return f"{count:,} {'entry' if count == 1 else 'entries'}"


def describe_selection(
    outcome: QueueOutcome | Sequence[ItemOutcome], *, link: str = ""
) -> Iterable[Message]:
    """``3 entries queued, 1 skipped (already running).`` Without a queue: ``3 entries stopped``

    ``link``: the address of what comes of them.
    """
    if isinstance(outcome, QueueOutcome):
        queued = _describe_tally(outcome.queued, outcome.skipped, done="queued", level=PENDING)
        yield add_link(queued, link)
        if not outcome.dispatched:
            yield warn_redis_away(one=outcome.queued == 1)
    else:
        skipped = Counter(item.reason for item in outcome if item.reason is not None)
        stopped = len(outcome) - skipped.total()
        stopped_words = _describe_tally(stopped, skipped, done="stopped", level=messages.SUCCESS)
        yield add_link(stopped_words, link)


def add_link(message: Message, url: str, words: str = "") -> Message:
    """Append a link to what came of it; without a ``url`` the message stays as it is."""
    if not url:
        return message
    words = words or gettext("View outcomes")
    return Message(message.level, format_html('{} <a href="{}">{}</a>', message.text, url, words))


def _describe_tally(count: int, skipped: Mapping[Reason, int], *, done: str, level: int) -> Message:
    text = f"{count_entries(count)} {done}" if count else f"No entries {done}"
    if skipped:
        text = f"{text}, {_describe_skipped(skipped, 'skipped')}"
    return Message(level if count else messages.WARNING, f"{text}.")


def describe_queued(
    item: ItemOutcome, *, dispatched: bool, edited: bool = False
) -> Iterable[Message]:
    saved = " Your changes are saved." if edited else ""
    yield Message(PENDING, f"Entry {item.entry_id} is queued for attempt {item.attempt}.{saved}")
    if not dispatched:
        yield warn_redis_away(one=True)


def describe_stopped(item: ItemOutcome) -> Message:
    text = f"Entry {item.entry_id} is marked failed. Automatic retries stopped."
    return Message(messages.SUCCESS, text)


def describe_discarded(item: ItemOutcome) -> Message:
    return Message(messages.SUCCESS, f"Entry {item.entry_id} is discarded. It can be restored.")


def describe_restored(item: ItemOutcome) -> Message:
    return Message(messages.SUCCESS, f"Entry {item.entry_id} is restored: it is {item.status}.")


def warn_redis_away(*, one: bool) -> Message:
    what = "it will start by itself" if one else "they will start by themselves"
    return Message(messages.WARNING, f"Redis cannot be reached: {what} when Redis is back.")


def describe_refusal(error: RetryError | EntriesError) -> Message:
    match error:
        case NotPermitted():
            text = f"You do not have the permission for this: {error.permission}."
        case QueueUnavailable():
            text = "Redis cannot be reached, so nothing was queued. Try again when it is back."
        case EmptySelection():
            text = "Nothing was selected, so nothing was changed. Select entries and try again."
        case NothingEligible():
            text = _describe_nothing_eligible(error)
        case OperationFinished():
            text = f"This operation is already {error.state}, so it cannot be changed any more."
        case _:
            text = str(error) or "This request was refused."
    return Message(messages.ERROR, text)


def _describe_nothing_eligible(error: NothingEligible) -> str:
    """``Nothing can be restored: 2 left alone (not discarded). No operation was started.``"""
    why = _describe_skipped(error.skipped, "left alone") if error.skipped else "no entry matches"
    done = describe_action(error.action).done
    return f"Nothing can be {done}: {why}. No operation was started."


def _describe_skipped(skipped: Mapping[Reason, int], word: str) -> str:
    """``3 skipped (2 not failed, 1 not found)``"""
    reasons = sorted((reason.words, count) for reason, count in skipped.items())
    words = (
        reasons[0][0]
        if len(reasons) == 1
        else ", ".join(f"{count:,} {reason}" for reason, count in reasons)
    )
    return f"{sum(skipped.values()):,} {word} ({words})"


def explain_no_verb(status: str) -> str:
    """Say why no button fits an entry of that status; empty where one does."""
    return _WHY_NO_VERB.get(EntryStatus(status), "")
