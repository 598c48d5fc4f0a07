"""All that an operation's page shows of how the operation stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, cast
from uuid import UUID

from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from entries.admin import show
from entries.models import Entry
from retry.access.permissions import OPERATE
from retry.access.visibility import sees_everything, sees_nothing
from retry.admin.entries.criteria import BACK, back_of, preview_url
from retry.admin.holds import words as hold_words
from retry.admin.shared import messages as words
from retry.admin.shared.acting import actor_of
from retry.admin.shared.bar import Bar
from retry.models import Action, Operation, OperationState, PauseCause
from retry.operations import control
from retry.operations.groups import Groups, find_groups
from retry.operations.items import ITEM_ORDER, OUTCOMES, Item, list_items
from retry.operations.progress import Progress, read_progress
from retry.operations.selection import Selection
from retry.reasons import Reason

ITEMS = 50
#: Groups are read from attempts, and the page asks every second.
_GROUPS_SECONDS = 3
_PAUSABLE = {OperationState.PLANNED, OperationState.RUNNING}
_OPEN = _PAUSABLE | {OperationState.PAUSED}
#: By the operation itself, which then tries a new canary.
_OWN_PAUSES = frozenset({PauseCause.CANARY, PauseCause.LIMIT})
#: What only work for workers has, and what only a resync that skips the unchanged has.
_BY_WORKERS = frozenset({"queued", "running", "failed", "scheduled", "unchanged"})


@dataclass(frozen=True, slots=True)
class Figure:
    name: str
    count: int
    words: str


@dataclass(frozen=True, slots=True)
class ItemRow:
    """``entry``: None where there is none, or none that the reader may see."""

    item: Item
    entry: Entry | None
    why: str


def live_context(request: HttpRequest, operation_id: UUID) -> dict[str, Any]:
    """What changes while it runs. Raises ``OperationNotFound``."""
    found = read_progress(operation_id)
    operation = found.operation
    counts = _counts(found)
    stage = "going" if operation.state in _PAUSABLE else operation.state
    why = hold_words.of_operation(operation)
    said = (stage, operation.state, *counts.values(), round(found.rate, 1), bool(why))
    version = ".".join(map(str, said))
    now = timezone.now()
    eta = None if found.eta_seconds is None else now + timedelta(seconds=found.eta_seconds)
    return {
        "original": operation,
        "kept": lists_kept(request),
        "words": words.of_action(operation.action),
        "on_hold": why,
        "progress": found,
        "active": not found.finished,
        "live_url": _address(request, operation, "live", seen=version),
        "version": version,
        "bar": Bar.of(counts, total=found.total),
        "figures": [Figure(name, n, words.OUTCOMES[name]) for name, n in counts.items()],
        "rate": f"{found.rate:,.1f}" if found.rate else "",
        "eta": show.duration(now, eta),
        "took": show.duration(operation.started_at, operation.ended_at or now),
        "skipped": [(_reason(reason), count) for reason, count in found.skipped.items()],
        "groups": _groups(request, found),
    }


def moved(context: Mapping[str, Any], seen: str) -> bool:
    """Since that version there is something else to be done with it, or nothing any more."""
    version: str = context["version"]
    return seen.partition(".")[0] != version.partition(".")[0] or not context["active"]


def verbs_context(request: HttpRequest, found: Progress) -> dict[str, Any]:
    """What the one who looks may do with it now."""
    operation = found.operation
    may = request.user.has_perm(OPERATE[Action(operation.action)])
    retry_failed = ""
    resting = operation.state not in _PAUSABLE
    again = control.choose_retry_action(operation)
    if resting and found.failed and request.user.has_perm(OPERATE[again]):
        back = back_of(request.GET)
        retry_failed = preview_url(again, Selection(failed_of=operation.pk), back=back)
    return {
        "may_pause": may and operation.state in _PAUSABLE,
        "may_resume": may and operation.state == OperationState.PAUSED,
        "may_overrule": may
        and operation.state == OperationState.PAUSED
        and _canary_open(operation),
        "new_canary": operation.canary_size and operation.pause_cause in _OWN_PAUSES,
        "may_cancel": may and operation.state in _OPEN,
        "retry_failed_url": retry_failed,
        "again": words.of_action(again),
    }


def _canary_open(operation: Operation) -> bool:
    """Whether a resume would try a canary first, or go on with one."""
    return operation.canary_size > 0 and (
        not operation.canary_done or operation.pause_cause in _OWN_PAUSES
    )


def items_context(request: HttpRequest, operation: Operation) -> dict[str, Any]:
    """A page of entries, by ``?outcome=`` and ``?cursor=``. Raises ``ValueError`` for others."""
    outcome = request.GET.get("outcome") or None
    cursor = request.GET.get("cursor") or None
    place = ITEM_ORDER.parse(cursor) if cursor is not None else None
    actor = actor_of(request)
    page = list_items(operation, actor=actor, outcome=outcome, cursor=place, limit=ITEMS)
    listed = f"{page.items}{page.next_text}"
    version = sha256(listed.encode()).hexdigest()[:16]
    return {
        "active": operation.ended_at is None,
        "kept": lists_kept(request),
        "back": back_of(request.GET),
        "items_version": version,
        "items_url": _address(request, operation, "items", seen=version),
        "outcome": outcome,
        "cursor": cursor,
        "outcomes": [(name, words.OUTCOMES[name]) for name in _outcomes(operation)],
        "rows": _rows(request, page.items),
        "next_cursor": page.next_text,
    }


def _address(request: HttpRequest, operation: Operation, part: str, *, seen: str) -> str:
    """With the page of entries that the browser shows, so that the same one can be renewed."""
    shown = {name: request.GET.get(name, "") for name in ("outcome", "cursor")}
    query = {"seen": seen} | {name: value for name, value in shown.items() if value}
    address = f"{reverse(f'admin:retry_operation_{part}', args=[operation.pk])}?{urlencode(query)}"
    kept = lists_kept(request)
    return f"{address}&{kept}" if kept else address


def lists_kept(request: HttpRequest) -> str:
    """The lists, of entries and of operations, that the page was reached from: a query string."""
    lists = {name: request.GET.get(name, "") for name in (BACK, "_changelist_filters")}
    return urlencode({name: value for name, value in lists.items() if value})


def _counts(found: Progress) -> Mapping[str, int]:
    named = {
        name: found.skipped_total if name == "skipped" else int(getattr(found, name))
        for name in words.OUTCOMES
    }
    return {name: named[name] for name in _outcomes(found.operation)}


def _outcomes(operation: Operation) -> Sequence[str]:
    shown = [name for name in words.OUTCOMES if name in OUTCOMES]
    if Action(operation.action).by_workers:
        return [name for name in shown if name != "unchanged" or operation.only_if_changed]
    return [name for name in shown if name not in _BY_WORKERS]


def _groups(request: HttpRequest, found: Progress) -> Groups | None:
    """None where there are none, and for whoever may not see entries and their errors."""
    actor = actor_of(request)
    if not found.failed + found.scheduled or sees_nothing(actor):
        return None
    operation = found.operation
    if not sees_everything(actor):
        return find_groups(operation.pk, actor=actor)  # theirs alone, so not kept for others
    key = f"redrive.groups.{operation.pk}.{operation.state}.{found.finished}"
    return cast(
        "Groups",
        cache.get_or_set(
            key, lambda: find_groups(operation.pk, actor=actor), timeout=_GROUPS_SECONDS
        ),
    )


def _rows(request: HttpRequest, found: Sequence[Item]) -> list[ItemRow]:
    visible = Entry.objects.visible_to(request.user).only("id", "title", "external_id")
    entries = visible.in_bulk([item.entry_id for item in found])
    return [
        ItemRow(item, entries.get(item.entry_id), _reason(item.reason) if item.reason else "")
        for item in found
    ]


def _reason(code: str) -> str:
    return Reason(code).words if code in set(Reason) else code.replace("_", " ")
