"""What an operation's page shows of its progress, and what can be done with it now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone

from entries.admin import display
from entries.admin.live import LiveFragment
from retry.access.permissions import OPERATE
from retry.access.visibility import sees_everything, sees_nothing
from retry.admin.holds.words import explain_operation
from retry.admin.operations.address import get_part_url, get_preview_url, get_return_query
from retry.admin.operations.words import OUTCOMES, describe_reason, list_outcomes
from retry.admin.shared.actions import describe_action
from retry.admin.shared.actor import get_actor
from retry.admin.shared.bar import Bar
from retry.admin.shared.entry_list import get_back
from retry.models import Action, Operation, OperationState, PauseCause
from retry.operations import control
from retry.operations.groups import Groups, find_groups
from retry.operations.progress import Progress, read_progress
from retry.operations.selection import Selection

#: Error groups are read from attempts, and the page polls every second.
_GROUPS_SECONDS = 3
_PAUSABLE = {OperationState.PLANNED, OperationState.RUNNING}
_OPEN = _PAUSABLE | {OperationState.PAUSED}
#: Pauses by the operation itself, which tries a new canary when it is resumed.
_OWN_PAUSES = frozenset({PauseCause.CANARY, PauseCause.LIMIT})


@dataclass(frozen=True, slots=True)
class Figure:
    name: str
    count: int
    words: str


def build_live_context(request: HttpRequest, operation: Operation) -> dict[str, Any]:
    """Return what changes while the operation runs."""
    found = read_progress(operation.pk)
    operation = found.operation
    counts = _get_counts(found)
    hold_words = explain_operation(operation)
    stage = "going" if operation.state in _PAUSABLE else operation.state
    parts = (stage, operation.state, *counts.values(), round(found.rate, 1), bool(hold_words))
    now = timezone.now()
    eta = None if found.eta_seconds is None else now + timedelta(seconds=found.eta_seconds)
    return {
        "original": operation,
        "return_query": get_return_query(request),
        "words": describe_action(operation.action),
        "hold_words": hold_words,
        "progress": found,
        "live": LiveFragment(
            url=get_part_url(request, operation, "live"),
            version=".".join(map(str, parts)),
            active=not found.finished,
        ),
        "bar": Bar.from_counts(counts, total=found.total, labels=OUTCOMES),
        "figures": [Figure(name, count, OUTCOMES[name]) for name, count in counts.items()],
        "rate": f"{found.rate:,.1f}" if found.rate else "",
        "eta": display.format_duration(now, eta),
        "took": display.format_duration(operation.started_at, operation.ended_at or now),
        "skipped": [(describe_reason(reason), count) for reason, count in found.skipped.items()],
        "groups": _find_groups(request, found),
    }


def build_verbs_context(request: HttpRequest, found: Progress) -> dict[str, Any]:
    """Return what the user may do with the operation now."""
    operation = found.operation
    may_control = request.user.has_perm(OPERATE[Action(operation.action)])
    paused = operation.state == OperationState.PAUSED
    again = control.choose_retry_action(operation)
    may_repeat = request.user.has_perm(OPERATE[again])
    retry_failed_url = ""
    if operation.state not in _PAUSABLE and found.failed and may_repeat:
        failed = Selection(failed_of=operation.pk)
        retry_failed_url = get_preview_url(again, failed, back=get_back(request.GET))
    return {
        "may_pause": may_control and operation.state in _PAUSABLE,
        "may_resume": may_control and paused,
        "may_overrule": may_control and paused and _has_open_canary(operation),
        "new_canary": operation.canary_size and operation.pause_cause in _OWN_PAUSES,
        "may_cancel": may_control and operation.state in _OPEN,
        "retry_failed_url": retry_failed_url,
        "again": describe_action(again),
        "may_undo": operation.action == Action.REPAIR
        and operation.state not in _PAUSABLE
        and may_control,
    }


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
