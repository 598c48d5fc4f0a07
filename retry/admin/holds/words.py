"""Holds in words: the lines at the top of pages, and what waits."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import cast

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst, get_text_list

from entries.models import Entry, Source
from entries.states import EntryStatus
from retry.access.permissions import VIEW_HOLD
from retry.access.visibility import sees_everything
from retry.admin.shared.acting import actor_of
from retry.holds.control import describe_target
from retry.holds.overview import (
    MANY,
    WaitingCounts,
    count_waiting,
    find_holds_on,
    find_holds_on_operation,
    group_by_kind,
    list_active,
)
from retry.models import Action, Hold, Operation

#: What waits is counted this often; that something is on hold is known at once.
_SECONDS = 3
#: Lines at the top of a page; the page of the holds has all of them.
_SHOWN = 5
#: Upstreams that are named in one line.
_NAMED = 3


def alarms(request: HttpRequest) -> list[str]:
    """One line for each hold that stands, all upstreams of a kind in one, with the way to all of
    them.

    Why it stands is for who may see holds, how much waits for it for who may see entries, too.
    """
    holds = list(list_active())
    groups = group_by_kind(holds)
    if not may_see(request):
        lines = [f"{_name_of(group)} on hold." for group in groups[:_SHOWN]]
    elif sees_everything(actor_of(request)):
        waiting = waiting_now(hold for group in groups[:_SHOWN] for hold in group)
        lines = [_line(request, group, waiting) for group in groups[:_SHOWN]]
    else:
        lines = [_linked(request, _said(group)) for group in groups[:_SHOWN]]
    if len(groups) > _SHOWN:
        more = sum(map(len, groups[_SHOWN:]))
        lines.append(_linked(request, f"{more:,} more are on hold."))
    return lines


def waiting_now(holds: Iterable[Hold]) -> Mapping[int, WaitingCounts]:
    """As ``count_waiting``, a few seconds old at the most."""
    listed = list(holds)
    ids = sha256(repr([hold.pk for hold in listed]).encode()).hexdigest()
    key = f"redrive.waiting.{ids}"
    return cast(
        "Mapping[int, WaitingCounts]",
        cache.get_or_set(key, lambda: count_waiting(listed), _SECONDS),
    )


def of_entry(entry: Entry) -> str:
    """What an entry waits for, or would wait for; empty where nothing holds it."""
    found = find_holds_on(kind=entry.kind, source_id=entry.source_id, upstream=entry.upstream)
    if not found:
        return ""
    waits = entry.status in {EntryStatus.QUEUED, EntryStatus.SCHEDULED}
    so = "It waits" if waits else "Put to work, it would wait"
    what = get_text_list([describe_target(hold) for hold in found], "and")
    return f"{so}: {what} {'is' if len(found) == 1 else 'are'} on hold."


def of_operation(operation: Operation) -> str:
    """What runs of an operation wait for; empty where they do not."""
    if operation.ended_at is not None or not Action(operation.action).by_workers:
        return ""
    runs_of = dict(find_holds_on_operation(operation.pk))
    lines = []
    for group in group_by_kind(runs_of):
        runs = sum(runs_of[hold] for hold in group)
        waits = _counted(runs, "run waits", "runs wait")
        lines.append(f"{waits}: {_named_all(group)} on hold.")
    return " ".join(lines)


def of_source(source: Source, *, tells: bool) -> str:
    """What a source, or the kind of its entries, waits for; empty where nothing holds them.

    ``tells``: also who put it on hold, and why.
    """
    found = find_holds_on(kind=source.entry_kind, source_id=source.pk)
    if tells:
        return " ".join(of_hold(hold) for hold in found)
    return " ".join(f"{capfirst(describe_target(hold))} is on hold." for hold in found)


def of_hold(hold: Hold) -> str:
    """``Kind page is on hold, put there 5 minutes ago by alice: upstream is down.``"""
    by = "the breaker" if hold.automatic else hold.actor_label
    target, since = capfirst(describe_target(hold)), naturaltime(hold.created_at)
    said = f"{target} is on hold, put there {since} by {by}"
    if hold.reason:
        said = f"{said}: {hold.reason}"
    return said if said.endswith((".", "!", "?", "…")) else f"{said}."


def of_upstreams(holds: Sequence[Hold]) -> str:
    """``12 upstreams of page are on hold: a.example, b.example, c.example and 9 more.``"""
    shown = [hold.upstream for hold in holds[:_NAMED]]
    more = len(holds) - len(shown)
    names = ", ".join(shown) + f" and {more:,} more" if more else get_text_list(shown, "and")
    return f"{_named_all(holds)} on hold: {names}."


def _named_all(holds: Sequence[Hold]) -> str:
    """``kind page is``, ``12 upstreams of page are``"""
    if len(holds) == 1:
        return f"{describe_target(holds[0])} is"
    return f"{len(holds):,} upstreams of {holds[0].kind} are"


def of_waiting(waiting: WaitingCounts) -> str:
    """``1,203 runs and 40 scheduled entries wait``"""
    parts = [
        _counted(waiting.runs, "run", "runs"),
        _counted(waiting.scheduled, "scheduled entry", "scheduled entries"),
    ]
    said = " and ".join(filter(None, parts))
    if not said:
        return "Nothing waits"
    return f"{said} {'waits' if waiting.runs + waiting.scheduled == 1 else 'wait'}"


def _counted(number: int, one: str, many: str) -> str:
    if number >= MANY:
        return f"more than {MANY:,} {many}"
    return f"{number:,} {one if number == 1 else many}" if number else ""


def _line(
    request: HttpRequest, holds: Sequence[Hold], waiting: Mapping[int, WaitingCounts]
) -> SafeString:
    all_of_it = WaitingCounts(
        sum(waiting[hold.pk].runs for hold in holds),
        sum(waiting[hold.pk].scheduled for hold in holds),
    )
    return _linked(request, f"{_said(holds)} {of_waiting(all_of_it)}.")


def _said(holds: Sequence[Hold]) -> str:
    return of_hold(holds[0]) if len(holds) == 1 else of_upstreams(holds)


def _name_of(holds: Sequence[Hold]) -> str:
    """Which it is and nothing of why: ``Kind page is``, ``12 upstreams of page are``."""
    if len(holds) == 1:
        return f"{capfirst(describe_target(holds[0]))} is"
    return f"{len(holds):,} upstreams of {holds[0].kind} are"


def may_see(request: HttpRequest) -> bool:
    return request.user.has_perm(VIEW_HOLD)


def _linked(request: HttpRequest, text: str) -> SafeString:
    if not may_see(request):
        return format_html("{}", text)
    url = reverse("admin:retry_hold_changelist")
    return format_html('{} <a href="{}">See the holds</a>', text, url)
