"""Sentences about holds: at the top of every page, and on the pages of what waits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import cast

from django.contrib import messages
from django.contrib.humanize.templatetags.humanize import intcomma, naturaltime
from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst, get_text_list
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from entries.models import Entry, Source
from entries.phrases import show
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


@dataclass(frozen=True, slots=True)
class HoldLines:
    """One line per active hold; all upstreams of a kind share one. ``alarms`` are of those of the
    breaker: something broke. ``chosen`` are of those that people put, which are as they should be.
    """

    alarms: Sequence[str]
    chosen: Sequence[str]


def list_lines(request: HttpRequest) -> HoldLines:
    """Describe the active holds.

    Reasons are for users who may see holds, counts only for those who may also see all entries.
    """
    actor = get_actor(request)
    active = shield(list_active(actor), actor=actor)
    return HoldLines(
        alarms=_describe(request, [hold for hold in active if hold.automatic], actor=actor),
        chosen=_describe(
            request, [hold for hold in active if not hold.automatic], actor=actor, linked=False
        ),
    )


def _describe(
    request: HttpRequest, holds: Iterable[Hold], *, actor: Actor, linked: bool = True
) -> list[str]:
    add_link = partial(_add_link, request) if linked else str
    groups = group_by_kind(holds)
    if not may_view(request):
        lines = [describe_held(group) for group in groups[:_MAX_LINES]]
    elif sees_everything(actor):
        waiting = get_waiting_counts(hold for group in groups[:_MAX_LINES] for hold in group)
        lines = [add_link(_line(group, waiting)) for group in groups[:_MAX_LINES]]
    else:
        lines = [add_link(_describe_group(group)) for group in groups[:_MAX_LINES]]
    if len(groups) > _MAX_LINES:
        more = sum(map(len, groups[_MAX_LINES:]))
        text = ngettext("%(count)s more is on hold.", "%(count)s more are on hold.", more)
        lines.append(add_link(text % {"count": intcomma(more)}))
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
    text = (
        ngettext(
            "This entry waits: %(what)s is on hold.",
            "This entry waits: %(what)s are on hold.",
            len(found),
        )
        if waits
        else ngettext(
            "If retried now, this entry would wait: %(what)s is on hold.",
            "If retried now, this entry would wait: %(what)s are on hold.",
            len(found),
        )
    )
    targets = [show(describe_target(hold)) for hold in found]
    return text % {"what": get_text_list(targets, _("and"))}


def explain_operation(operation: Operation, *, actor: Actor) -> str:
    """Say why runs of an operation wait; empty where no hold concerns them."""
    if operation.ended_at is not None or not Action(operation.action).by_workers:
        return ""
    runs_by_hold = dict(find_holds_on_operation(operation.pk, actor=actor))
    lines = []
    for group in group_by_kind(runs_by_hold):
        runs = sum(runs_by_hold[hold] for hold in group)
        text = (
            _("More than %(count)s runs wait: %(held)s")
            if runs >= MANY
            else ngettext("%(count)s run waits: %(held)s", "%(count)s runs wait: %(held)s", runs)
        )
        held = describe_held(group, begins=False)
        lines.append(text % {"count": intcomma(min(runs, MANY)), "held": held})
    return " ".join(lines)


def explain_source(source: Source, *, with_reasons: bool, actor: Actor) -> str:
    """Say which holds concern a source or the kind of its entries; empty where none does."""
    found = shield(find_holds_on(kind=source.entry_kind, source_id=source.pk), actor=actor)
    if with_reasons:
        return " ".join(describe_hold(hold) for hold in found)
    return " ".join(describe_held([hold]) for hold in found)


def describe_hold(hold: Hold) -> str:
    """``Kind page was put on hold 5 minutes ago by alice: upstream is down.``"""
    known = {
        "target": capfirst(show(describe_target(hold))),
        "since": naturaltime(hold.created_at),
        "name": hold.actor_label,
        "end": _format_end(hold),
    }
    if hold.automatic:
        text = (
            _("%(target)s was put on hold %(since)s by the breaker until %(end)s")
            if hold.ends_at
            else _("%(target)s was put on hold %(since)s by the breaker")
        )
    else:
        text = (
            _("%(target)s was put on hold %(since)s by %(name)s until %(end)s")
            if hold.ends_at
            else _("%(target)s was put on hold %(since)s by %(name)s")
        )
    text = text % known
    if hold.reason:
        text = f"{text}: {show(hold.reason)}"
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def describe_upstreams(holds: Sequence[Hold]) -> str:
    """``12 upstreams of page are on hold: a.example, b.example, c.example and 9 more.``"""
    named = [hold.upstream for hold in holds[:_MAX_NAMES]]
    more = len(holds) - len(named)
    known = {
        "count": intcomma(len(holds)),
        "kind": holds[0].kind,
        "names": ", ".join(named) if more else get_text_list(named, _("and")),
        "more": intcomma(more),
    }
    if more:
        text = _("%(count)s upstreams of %(kind)s are on hold: %(names)s and %(more)s more.")
    else:
        text = _("%(count)s upstreams of %(kind)s are on hold: %(names)s.")
    return text % known


def describe_held(holds: Sequence[Hold], *, begins: bool = True) -> str:
    """``Kind page is on hold.``, ``12 upstreams of page are on hold.``

    ``begins``: it is the beginning of a sentence.
    """
    if len(holds) > 1:
        text = _("%(count)s upstreams of %(kind)s are on hold.")
        return text % {"count": intcomma(len(holds)), "kind": holds[0].kind}
    target = show(describe_target(holds[0]))
    return _("%(target)s is on hold.") % {"target": capfirst(target) if begins else target}


def describe_waiting(waiting: WaitingCounts) -> str:
    """``1,203 runs and 40 scheduled entries wait``"""
    runs, scheduled = waiting.runs, waiting.scheduled
    if not runs and not scheduled:
        return _("Nothing waits")
    if runs and scheduled:
        both = _("%(runs)s and %(entries)s wait")
        return both % {"runs": _count_runs(runs), "entries": _count_scheduled(scheduled)}
    if runs >= MANY:
        return _("more than %(count)s runs wait") % {"count": intcomma(MANY)}
    if runs:
        text = ngettext("%(count)s run waits", "%(count)s runs wait", runs)
        return text % {"count": intcomma(runs)}
    if scheduled >= MANY:
        return _("more than %(count)s scheduled entries wait") % {"count": intcomma(MANY)}
    text = ngettext(
        "%(count)s scheduled entry waits", "%(count)s scheduled entries wait", scheduled
    )
    return text % {"count": intcomma(scheduled)}


def _count_runs(number: int) -> str:
    if number >= MANY:
        return _("more than %(count)s runs") % {"count": intcomma(MANY)}
    return ngettext("%(count)s run", "%(count)s runs", number) % {"count": intcomma(number)}


def _count_scheduled(number: int) -> str:
    if number >= MANY:
        return _("more than %(count)s scheduled entries") % {"count": intcomma(MANY)}
    text = ngettext("%(count)s scheduled entry", "%(count)s scheduled entries", number)
    return text % {"count": intcomma(number)}


def describe_change(hold: Hold) -> Message:
    """Confirm that a hold was put, or lifted."""
    target = show(describe_target(hold))
    known = {"target": target, "end": _format_end(hold)}
    if hold.lifted_at is not None:
        text = _("Hold on %(target)s lifted. Waiting work starts by itself, oldest first.")
        return Message(messages.SUCCESS, text % known)
    text = (
        _("%(target)s is on hold until %(end)s. Its work stays queued until the hold is lifted.")
        if hold.ends_at
        else _("%(target)s is on hold. Its work stays queued until the hold is lifted.")
    )
    return Message(messages.SUCCESS, text % (known | {"target": capfirst(target)}))


def _format_end(hold: Hold) -> str:
    """``2026-01-31 06:00 UTC``, or nothing"""
    return date_format(localtime(hold.ends_at), "Y-m-d H:i T") if hold.ends_at else ""


def may_view(request: HttpRequest) -> bool:
    return request.user.has_perm(VIEW_HOLD)


def _line(holds: Sequence[Hold], waiting: Mapping[int, WaitingCounts]) -> str:
    total = WaitingCounts(
        sum(waiting[hold.pk].runs for hold in holds),
        sum(waiting[hold.pk].scheduled for hold in holds),
    )
    waits = _("%(waiting)s.") % {"waiting": describe_waiting(total)}
    return f"{_describe_group(holds)} {waits}"


def _describe_group(holds: Sequence[Hold]) -> str:
    return describe_hold(holds[0]) if len(holds) == 1 else describe_upstreams(holds)


def _add_link(request: HttpRequest, text: str) -> SafeString:
    if not may_view(request):
        return format_html("{}", text)
    url = reverse("admin:retry_hold_changelist")
    return format_html('{} <a href="{}">{}</a>', text, url, _("View holds"))
