"""Messages after an action: what happened, and why something was refused."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from entries.errors import EntriesError
from entries.phrases import show
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

#: Of an entry that is scheduled for its first attempt.
DEFERRED = gettext_noop("This entry waits for the time of its first attempt.")
_WHY_NO_VERB = {
    EntryStatus.PENDING: gettext_noop("This entry has not been tried yet."),
    EntryStatus.QUEUED: gettext_noop("This entry is queued."),
    EntryStatus.RUNNING: gettext_noop("A worker is processing this entry now."),
    EntryStatus.SCHEDULED: gettext_noop("This entry waits for its next automatic retry."),
    EntryStatus.SUCCEEDED: gettext_noop(
        "This entry has succeeded. It has no source to resync from."
    ),
    EntryStatus.DISCARDED: gettext_noop("This entry was discarded. To retry it, restore it first."),
}


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence with its level, as ``django.contrib.messages`` counts them."""

    level: int
    text: str


def add_messages(request: HttpRequest, *added: Message) -> None:
    for message in added:
        messages.add_message(request, message.level, message.text)


def describe_selection(
    outcome: QueueOutcome | Sequence[ItemOutcome], *, link: str = ""
) -> Iterable[Message]:
    """``3 entries queued, 1 skipped (already running).`` Without a queue: ``3 entries stopped``

    ``link``: the address of what comes of them.
    """
    if isinstance(outcome, QueueOutcome):
        queued = outcome.queued
        done = (
            ngettext("%(count)s entry queued", "%(count)s entries queued", queued)
            if queued
            else _("No entries queued")
        )
        yield add_link(_describe_tally(queued, done, outcome.skipped, level=PENDING), link)
        if not outcome.dispatched:
            yield warn_redis_away(one=queued == 1)
    else:
        skipped = Counter(item.reason for item in outcome if item.reason is not None)
        stopped = len(outcome) - skipped.total()
        done = (
            ngettext("%(count)s entry stopped", "%(count)s entries stopped", stopped)
            if stopped
            else _("No entries stopped")
        )
        yield add_link(_describe_tally(stopped, done, skipped, level=messages.SUCCESS), link)


def add_link(message: Message, url: str, words: str = "") -> Message:
    """Append a link to what came of it; without a ``url`` the message stays as it is."""
    if not url:
        return message
    words = words or _("View outcomes")
    return Message(message.level, format_html('{} <a href="{}">{}</a>', message.text, url, words))


def _describe_tally(count: int, done: str, skipped: Mapping[Reason, int], *, level: int) -> Message:
    done = done % {"count": intcomma(count)}
    text = _("%(done)s.") % {"done": done}
    if skipped:
        left = _("%(count)s skipped (%(reasons)s)") % _summarise(skipped)
        text = _("%(done)s, %(skipped)s.") % {"done": done, "skipped": left}
    return Message(level if count else messages.WARNING, text)


def describe_queued(
    item: ItemOutcome, *, dispatched: bool, edited: bool = False
) -> Iterable[Message]:
    text = (
        _("Entry %(id)s is queued for attempt %(attempt)s. Your changes are saved.")
        if edited
        else _("Entry %(id)s is queued for attempt %(attempt)s.")
    )
    yield Message(PENDING, text % {"id": item.entry_id, "attempt": item.attempt})
    if not dispatched:
        yield warn_redis_away(one=True)


def describe_stopped(item: ItemOutcome) -> Message:
    text = _("Entry %(id)s is marked failed. Automatic retries stopped.")
    return Message(messages.SUCCESS, text % {"id": item.entry_id})


def describe_discarded(item: ItemOutcome) -> Message:
    text = _("Entry %(id)s is discarded. It can be restored.")
    return Message(messages.SUCCESS, text % {"id": item.entry_id})


def describe_restored(item: ItemOutcome) -> Message:
    text = _("Entry %(id)s is restored: it is %(status)s.")
    status = _(item.status) if item.status else ""
    return Message(messages.SUCCESS, text % {"id": item.entry_id, "status": status})


def warn_redis_away(*, one: bool) -> Message:
    text = (
        _("Redis cannot be reached: it will start by itself when Redis is back.")
        if one
        else _("Redis cannot be reached: they will start by themselves when Redis is back.")
    )
    return Message(messages.WARNING, text)


def describe_refusal(error: RetryError | EntriesError) -> Message:
    match error:
        case NotPermitted():
            text = _("You do not have the permission for this: %(name)s.")
            text = text % {"name": error.permission}
        case QueueUnavailable():
            text = _("Redis cannot be reached, so nothing was queued. Try again when it is back.")
        case EmptySelection():
            text = _("Nothing was selected, so nothing was changed. Select entries and try again.")
        case NothingEligible():
            text = _describe_nothing_eligible(error)
        case OperationFinished():
            text = _("This operation is already %(state)s, so it cannot be changed any more.")
            text = text % {"state": _(error.state)}
        case _:
            text = show(error) or _("This request was refused.")
    return Message(messages.ERROR, text)


def _describe_nothing_eligible(error: NothingEligible) -> str:
    """``Nothing can be restored: 2 left alone (not discarded). No operation was started.``"""
    why = (
        _("%(count)s left alone (%(reasons)s)") % _summarise(error.skipped)
        if error.skipped
        else _("no entry matches")
    )
    return str(describe_action(error.action).nothing) % {"why": why}


def _summarise(skipped: Mapping[Reason, int]) -> Mapping[str, str]:
    """Return the ``count`` and the ``reasons``: ``3`` and ``2 not failed, 1 not found``"""
    reasons = sorted((show(reason.words), count) for reason, count in skipped.items())
    words = (
        reasons[0][0]
        if len(reasons) == 1
        else ", ".join(f"{intcomma(count)} {reason}" for reason, count in reasons)
    )
    return {"count": intcomma(sum(skipped.values())), "reasons": words}


def explain_no_verb(status: str, *, is_deferred: bool = False) -> str:
    """Say why no button fits an entry of that status; empty where one does."""
    return _(DEFERRED if is_deferred else _WHY_NO_VERB.get(EntryStatus(status), ""))
