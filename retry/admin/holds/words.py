"""Sentences about holds: at the top of every page, and on the pages of what waits."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import cast

from django.contrib import messages
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst, get_text_list
from django.utils.timezone import localtime

from entries.models import Entry, Source
from entries.states import EntryStatus
from retry.access.permissions import VIEW_HOLD
from retry.access.visibility import sees_everything
from retry.admin.shared.actor import get_actor
from retry.admin.shared.messages import Message
from retry.holds.control import describe_target
from retry.holds.overview import (
    MANY,
    WaitingCounts,
    count_waiting,
    find_holds_on,
    find_holds_on_operation,
    group_by_kind,
    list_active,
    shield,
)
from retry.models import Action, Hold, Operation
from retry.outcomes import Actor

#: Seconds for which counts are kept; the holds themselves are always read.
_SECONDS = 3
#: Lines at the top of a page; the page of holds has all of them.
_MAX_LINES = 5
#: Upstreams that are named in one line.
_MAX_NAMES = 3


def list_alarms(request: HttpRequest) -> list[str]:
    """List one line per active hold; all upstreams of a kind share one.

    Reasons are for users who may see holds, counts only for those who may also see all entries.
    """
    actor = get_actor(request)
    groups = group_by_kind(shield(list_active(actor), actor=actor))
    if not may_view(request):
        lines = [capfirst(f"{_name(group)} on hold.") for group in groups[:_MAX_LINES]]
    elif sees_everything(actor):
        waiting = get_waiting_counts(hold for group in groups[:_MAX_LINES] for hold in group)
        lines = [_line(request, group, waiting) for group in groups[:_MAX_LINES]]
    else:
        lines = [_add_link(request, _describe_group(group)) for group in groups[:_MAX_LINES]]
    if len(groups) > _MAX_LINES:
        more = sum(map(len, groups[_MAX_LINES:]))
        lines.append(_add_link(request, f"{more:,} more are on hold."))
    return lines


def get_waiting_counts(holds: Iterable[Hold]) -> Mapping[int, WaitingCounts]:
    """Return ``count_waiting``, at most a few seconds old."""
    listed = list(holds)
    ids = sha256(repr([hold.pk for hold in listed]).encode()).hexdigest()
    key = f"redrive.waiting.{ids}"
    return cast(
        "Mapping[int, WaitingCounts]",
        cache.get_or_set(key, lambda: count_waiting(listed), _SECONDS),
    )


def explain_entry(entry: Entry) -> str:
    """Say why an entry waits, or would wait if retried; empty where no hold concerns it."""
    found = find_holds_on(kind=entry.kind, source_id=entry.source_id, upstream=entry.upstream)
    if not found:
        return ""
    waits = entry.status in {EntryStatus.QUEUED, EntryStatus.SCHEDULED}
    effect = "This entry waits" if waits else "If retried now, this entry would wait"
    what = get_text_list([describe_target(hold) for hold in found], "and")
    return f"{effect}: {what} {'is' if len(found) == 1 else 'are'} on hold."


def explain_operation(operation: Operation, *, actor: Actor) -> str:
    """Say why runs of an operation wait; empty where no hold concerns them."""
    if operation.ended_at is not None or not Action(operation.action).by_workers:
        return ""
    runs_by_hold = dict(find_holds_on_operation(operation.pk, actor=actor))
    lines = []
    for group in group_by_kind(runs_by_hold):
        runs = sum(runs_by_hold[hold] for hold in group)
        wait = _count(runs, "run waits", "runs wait")
        lines.append(f"{wait}: {_name(group)} on hold.")
    return " ".join(lines)


def explain_source(source: Source, *, with_reasons: bool, actor: Actor) -> str:
    """Say which holds concern a source or the kind of its entries; empty where none does."""
    found = shield(find_holds_on(kind=source.entry_kind, source_id=source.pk), actor=actor)
    if with_reasons:
        return " ".join(describe_hold(hold) for hold in found)
    return " ".join(f"{capfirst(describe_target(hold))} is on hold." for hold in found)


def describe_hold(hold: Hold) -> str:
    """``Kind page was put on hold 5 minutes ago by alice: upstream is down.``"""
    by = "the breaker" if hold.automatic else hold.actor_label
    target, since = capfirst(describe_target(hold)), naturaltime(hold.created_at)
    text = f"{target} was put on hold {since} by {by}{_describe_end(hold)}"
    if hold.reason:
        text = f"{text}: {hold.reason}"
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def describe_upstreams(holds: Sequence[Hold]) -> str:
    """``12 upstreams of page are on hold: a.example, b.example, c.example and 9 more.``"""
    named = [hold.upstream for hold in holds[:_MAX_NAMES]]
    more = len(holds) - len(named)
    names = ", ".join(named) + f" and {more:,} more" if more else get_text_list(named, "and")
    return f"{_name(holds)} on hold: {names}."


def describe_waiting(waiting: WaitingCounts) -> str:
    """``1,203 runs and 40 scheduled entries wait``"""
    parts = [
        _count(waiting.runs, "run", "runs"),
        _count(waiting.scheduled, "scheduled entry", "scheduled entries"),
    ]
    text = " and ".join(filter(None, parts))
    if not text:
        return "Nothing waits"
    return f"{text} {'waits' if waiting.runs + waiting.scheduled == 1 else 'wait'}"


def describe_change(hold: Hold) -> Message:
    """Confirm that a hold was put, or lifted."""
    target = describe_target(hold)
    if hold.lifted_at is None:
        held = f"{capfirst(target)} is on hold{_describe_end(hold)}."
        text = f"{held} Its work stays queued until the hold is lifted."
    else:
        text = f"Hold on {target} lifted. Waiting work starts by itself, oldest first."
    return Message(messages.SUCCESS, text)


def _describe_end(hold: Hold) -> str:
    """`` until 2026-01-31 06:00 UTC``, or nothing"""
    if hold.ends_at is None:
        return ""
    return f" until {date_format(localtime(hold.ends_at), 'Y-m-d H:i T')}"


def may_view(request: HttpRequest) -> bool:
    return request.user.has_perm(VIEW_HOLD)


def _count(number: int, one: str, many: str) -> str:
    if number >= MANY:
        return f"more than {MANY:,} {many}"
    return f"{number:,} {one if number == 1 else many}" if number else ""


def _line(
    request: HttpRequest, holds: Sequence[Hold], waiting: Mapping[int, WaitingCounts]
) -> SafeString:
    total = WaitingCounts(
        sum(waiting[hold.pk].runs for hold in holds),
        sum(waiting[hold.pk].scheduled for hold in holds),
    )
    return _add_link(request, f"{_describe_group(holds)} {describe_waiting(total)}.")


def _describe_group(holds: Sequence[Hold]) -> str:
    return describe_hold(holds[0]) if len(holds) == 1 else describe_upstreams(holds)


def _name(holds: Sequence[Hold]) -> str:
    """``kind page is``, ``12 upstreams of page are``"""
    if len(holds) == 1:
        return f"{describe_target(holds[0])} is"
    return f"{len(holds):,} upstreams of {holds[0].kind} are"


def _add_link(request: HttpRequest, text: str) -> SafeString:
    if not may_view(request):
        return format_html("{}", text)
    url = reverse("admin:retry_hold_changelist")
    return format_html('{} <a href="{}">View holds</a>', text, url)
