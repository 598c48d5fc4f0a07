"""What an operation's page shows of its progress, and what can be done with it now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import number_format

from entries.admin import display
from entries.admin.live import LiveFragment
from entries.filters import EntryFilter
from entries.phrases import show
from retry.access.permissions import APPROVE_OPERATION, OPERATE
from retry.access.records import is_requester, sees_whole_operation
from retry.access.visibility import sees_everything, sees_nothing
from retry.admin.holds.words import explain_operation
from retry.admin.operations.address import get_part_url, get_preview_url, get_return_query
from retry.admin.operations.words import (
    OUTCOMES,
    describe_canary,
    describe_end,
    describe_reason,
    describe_selection,
    get_tab_title,
    list_outcomes,
)
from retry.admin.shared.actions import describe_action
from retry.admin.shared.actor import get_actor
from retry.admin.shared.bar import Bar
from retry.admin.shared.entry_list import get_back
from retry.models import Action, Operation, OperationState, PauseCause
from retry.operations import control
from retry.operations.approval import is_own
from retry.operations.groups import Group, Groups, find_groups
from retry.operations.progress import Progress, read_progress
from retry.operations.selection import Selection
from retry.selection_words import describe_stored

#: Error groups are read from attempts, and the page polls every second.
_GROUPS_SECONDS = 3
_PAUSABLE = {OperationState.PLANNED, OperationState.RUNNING}
_MOVABLE = {OperationState.PLANNED, OperationState.PAUSED}
_OPEN = _PAUSABLE | {OperationState.PAUSED, OperationState.AWAITING}
#: What may help against an error, on the entries of one group.
_REPEATING = (Action.RETRY, Action.RESYNC)
#: Pauses by the operation itself, which tries a new canary when it is resumed.
_OWN_PAUSES = frozenset({PauseCause.CANARY, PauseCause.LIMIT})


@dataclass(frozen=True, slots=True)
class Figure:
    name: str
    count: int
    words: str


@dataclass(frozen=True, slots=True)
class GroupRow:
    """``verbs``: words and the address of a preview, for each."""

    group: Group
    verbs: Sequence[tuple[str, str]]


def build_live_context(request: HttpRequest, operation: Operation) -> dict[str, Any]:
    """Return what changes while the operation runs."""
    actor = get_actor(request)
    found = read_progress(operation.pk, actor=actor)
    operation = found.operation
    counts = _get_counts(found)
    hold_words = explain_operation(operation, actor=actor)
    parts = (
        _get_stage(operation),
        operation.state,
        operation.ramp_step,
        operation.canary_state,
        *counts.values(),
        round(found.rate, 1),
        bool(hold_words),
    )
    return {
        "original": operation,
        "state_template": f"retry/operation/states/{operation.state}.html",
        "return_query": get_return_query(request),
        "words": describe_action(operation.action),
        "selection_words": describe_selection(describe_stored(operation)),
        "hold_words": hold_words,
        "progress": found,
        "live": LiveFragment(
            url=get_part_url(request, operation, "live"),
            version=".".join(map(str, parts)),
            active=not found.finished,
        ),
        "bar": Bar.from_counts(counts, total=found.total, labels=OUTCOMES),
        "figures": [Figure(name, count, str(OUTCOMES[name])) for name, count in counts.items()],
        "rate": number_format(round(found.rate, 1), 1, force_grouping=True) if found.rate else "",
        "eta": format_left(found.eta_seconds),
        "took": display.format_duration(operation.started_at, operation.ended_at or timezone.now()),
        "skipped": [(describe_reason(reason), count) for reason, count in found.skipped.items()],
        "pause_words": show(operation.pause_reason),
        "canary_words": describe_canary(operation),
        "step": operation.ramp_step + 1,
        "waits_for_its_time": operation.start_at is not None
        and timezone.now() < operation.start_at,
        "tab_title": get_tab_title(found),
        "news": describe_end(found),
        **_build_groups(request, found),
    }


def format_left(seconds: float | None) -> str:
    """Format the time left; empty where it is unknown, and below a second, where the rest is being
    worked on or waits for something else.
    """
    if seconds is None or seconds < 1:
        return ""
    now = timezone.now()
    return display.format_duration(now, now + timedelta(seconds=seconds))


def _get_stage(operation: Operation) -> str:
    """Return what differs whenever other verbs fit; a poll then replaces them, too."""
    if operation.state not in _PAUSABLE:
        return str(operation.state)
    return "waiting" if operation.started_at is None and operation.start_at else "going"


def build_verbs_context(request: HttpRequest, found: Progress) -> dict[str, Any]:
    """Return what the user may do with the operation now."""
    operation, actor = found.operation, get_actor(request)
    may_end = request.user.has_perm(OPERATE[Action(operation.action)])
    whole = sees_whole_operation(operation, actor=actor)
    may_control = may_end and whole
    may_end = may_end and (whole or is_requester(operation, actor=actor))
    paused = operation.state == OperationState.PAUSED
    again = control.choose_retry_action(operation)
    may_repeat = request.user.has_perm(OPERATE[again])
    retry_failed_url = ""
    if operation.state not in _PAUSABLE and found.failed and may_repeat:
        failed = Selection(failed_of=operation.pk)
        retry_failed_url = get_preview_url(again, failed, back=get_back(request.GET))
    return {
        "may_pause": may_end and operation.state in _PAUSABLE,
        "may_resume": may_control and paused,
        "may_overrule": may_control and paused and _has_open_canary(operation),
        "new_canary": operation.canary_size and operation.pause_cause in _OWN_PAUSES,
        "may_cancel": may_end and operation.state in _OPEN,
        "may_reschedule": may_control and _is_movable(operation),
        **_build_decision(request, operation),
        "retry_failed_url": retry_failed_url,
        "again": describe_action(again),
        "may_undo": operation.action == Action.REPAIR
        and operation.state not in _PAUSABLE
        and may_control,
    }


def _is_movable(operation: Operation) -> bool:
    """Return whether its start can be moved: it has one, and neither has begun nor was approved."""
    unbegun = operation.started_at is None and not operation.decided_by
    return unbegun and operation.start_at is not None and operation.state in _MOVABLE


def _build_decision(request: HttpRequest, operation: Operation) -> dict[str, Any]:
    awaiting = operation.state == OperationState.AWAITING
    actor = get_actor(request)
    own = awaiting and is_own(operation, actor)
    may_decide = awaiting and not own and request.user.has_perm(APPROVE_OPERATION)
    may_decide = may_decide and sees_whole_operation(operation, actor=actor)
    return {"awaits_another": own, "may_decide": may_decide}


def _has_open_canary(operation: Operation) -> bool:
    """Return whether a resumed operation would start or continue with a canary."""
    return operation.canary_size > 0 and (
        not operation.canary_done or operation.pause_cause in _OWN_PAUSES
    )


def _get_counts(found: Progress) -> Mapping[str, int]:
    return {
        name: found.skipped_total if name == "skipped" else int(getattr(found, name))
        for name in list_outcomes(found.operation)
    }


def _build_groups(request: HttpRequest, found: Progress) -> dict[str, Any]:
    """Return what failed, each group with the verbs that the user may try on it."""
    groups = _find_groups(request, found)
    if groups is None:
        return {"groups": None}
    verbs = [action for action in _REPEATING if request.user.has_perm(OPERATE[action])]
    back = get_back(request.GET)

    def link(action: Action, fingerprint: str) -> tuple[str, str]:
        failed = Selection(
            failed_of=found.operation.pk, filter=EntryFilter(fingerprint=fingerprint)
        )
        return f"{describe_action(action).label}…", get_preview_url(action, failed, back=back)

    rows = [
        GroupRow(group, [link(verb, group.fingerprint) for verb in verbs if group.fingerprint])
        for group in groups.found
    ]
    return {"groups": groups, "group_rows": rows}


def _find_groups(request: HttpRequest, found: Progress) -> Groups | None:
    """Find the errors; None where there are none, or the user may not see entries."""
    actor = get_actor(request)
    if not found.failed + found.scheduled or sees_nothing(actor):
        return None
    operation = found.operation
    if not sees_everything(actor):
        return find_groups(operation.pk, actor=actor)  # not cached: other users see other entries
    key = f"redrive.groups.{operation.pk}.{operation.state}.{found.finished}"
    return cast(
        "Groups",
        cache.get_or_set(
            key, lambda: find_groups(operation.pk, actor=actor), timeout=_GROUPS_SECONDS
        ),
    )
