"""Sentences about operations."""

import re
from collections.abc import Sequence

from django.contrib import messages
from django.utils.translation import gettext, ngettext

from retry.admin.shared.actions import describe_action
from retry.admin.shared.messages import PENDING, Message, count_entries
from retry.models import Action, Operation, OperationState, PauseCause
from retry.operations.forecast import Forecast
from retry.operations.items import OUTCOMES as LISTED_OUTCOMES
from retry.operations.progress import Progress
from retry.operations.sight import BY_PAYLOAD, PARTLY_HIDDEN
from retry.reasons import Reason

_FINGERPRINT = re.compile(r"\bfingerprint \d+-[0-9a-f]{32}\b")
_LEFT_OUT = re.compile(r"\bfingerprint not \d+-[0-9a-f]{32}(?: or \d+-[0-9a-f]{32})*")
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
#: Outcomes that only the work of workers has.
_BY_WORKERS = frozenset({"queued", "running", "failed", "scheduled", "unchanged"})
_STATES = {
    OperationState.AWAITING.value: "Awaiting approval",
    OperationState.PAUSED.value: "Paused",
    OperationState.COMPLETED.value: "Done",
    OperationState.CANCELLED.value: "Cancelled",
}
_CONTROLLED = {
    "approve": "Approved. It starts as it was requested.",
    "reject": "Rejected. The operation is cancelled; no entry was touched.",
    "reschedule": "The start was changed.",
    "pause": "Paused. Running entries are finished; the rest waits until the operation is resumed.",
    "resume": "Resumed.",
    "overrule": "Resumed without a canary.",
    "cancel": "Cancelled. Running entries finish; waiting ones get their earlier status back.",
}


def get_preview_title(action: Action) -> str:
    return f"{describe_action(action).do.capitalize()} in bulk"


def get_title(operation: Operation) -> str:
    """``Retry 1,200 entries``"""
    return f"{_begin_title(operation)} {count_entries(operation.total)}"


def _begin_title(operation: Operation) -> str:
    do = describe_action(operation.action).do.capitalize()
    return f"{do} of" if operation.action == Action.UNDO else do


def describe_selection(words: str) -> str:
    """Say ``of one error group`` in place of the fingerprints in the words of a selection."""

    def count_left_out(match: re.Match[str]) -> str:
        number = match[0].count(" or ") + 1
        return ngettext(
            "without %(number)d error group", "without %(number)d error groups", number
        ) % {"number": number}

    if words == PARTLY_HIDDEN:
        return gettext("the entries that you may see")
    if words == BY_PAYLOAD:
        return gettext("entries by what is in their payloads")
    return _FINGERPRINT.sub(gettext("of one error group"), _LEFT_OUT.sub(count_left_out, words))


def get_tab_title(found: Progress) -> str:
    """``43 % · Retry 7,400``: what a tab shows of it beside others."""
    operation = found.operation
    what = f"{_begin_title(operation)} {operation.total:,}"
    if operation.ended_at is not None or operation.state == OperationState.AWAITING:
        return f"{_STATES[operation.state]} · {what}"
    percent = 100 * found.settled // found.total if found.total else 0
    paused = f"{_STATES[operation.state]} · " if operation.state == OperationState.PAUSED else ""
    return f"{paused}{percent} % · {what}"


def describe_end(found: Progress) -> str:
    """Say how it ended, or that it paused by itself; empty while it needs no attention."""
    operation = found.operation
    if operation.state == OperationState.PAUSED:
        return operation.pause_reason if operation.pause_cause != PauseCause.PERSON else ""
    if operation.ended_at is None:
        return ""
    return f"{found.succeeded + found.unchanged:,} succeeded, {found.failed:,} failed."


def describe_canary(operation: Operation) -> str:
    """``20, under way``, or of a ramp ``10, 100, 1,000, rest: step 2 under way``"""
    state = operation.canary_state
    if state == "none":
        return ""
    words = state.replace("_", " ")
    if state == "overruled":
        words = f"overruled by {operation.canary_overruled_by}"
    if operation.started_at is None and state == "under_way":
        return describe_steps(operation.ramp) or f"{operation.canary_size:,}"
    if not operation.ramp:
        return f"{operation.canary_size:,}, {words}"
    step = "" if state in {"passed", "overruled"} else f"step {operation.ramp_step + 1} "
    return f"{describe_steps(operation.ramp)}: {step}{words}"


def describe_pace(rate_per_second: float | None) -> str:
    if rate_per_second is None:
        return "as fast as possible"
    return f"{rate_per_second:g} entries per second"


def describe_steps(steps: Sequence[int]) -> str:
    """``10, 100, 1,000, rest``"""
    return ", ".join([*(f"{step:,}" for step in steps), "rest"]) if steps else ""


def describe_forecast(found: Forecast | None, *, whole: bool) -> str:
    """``About 2 min at 60/s``; ``whole``: all that would be taken was counted."""
    if found is None:
        return ""
    rate = f"{found.rate:,.0f}" if found.rate >= 10 else f"{found.rate:.2g}"
    about = "About" if whole else "More than"
    lately = "" if found.paced else ", as fast as recently"
    return f"{about} {_format_roughly(found.seconds)} at {rate}/s{lately}"


def _format_roughly(seconds: float) -> str:
    """``30 s``, ``2 min``, ``1.5 h`` or ``3 days``"""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.1f}".removesuffix(".0") + " h"
    return f"{round(seconds / 86400)} days"


def describe_failure_limit(rate: float | None) -> str:
    return "" if rate is None else f"{rate * 100:g}%"


def describe_start(operation: Operation) -> Message:
    are = "is" if operation.total == 1 else "are"
    done = describe_action(operation.action).done
    return Message(PENDING, f"{count_entries(operation.total)} {are} being {done}.")


def warn_repeated_form() -> Message:
    text = "This form was already submitted. No second operation was started."
    return Message(messages.WARNING, text)


def describe_control(verb: str) -> Message:
    return Message(messages.SUCCESS, _CONTROLLED[verb])


def list_outcomes(operation: Operation) -> Sequence[str]:
    """List the outcomes that entries of this operation can have, in the order of ``OUTCOMES``."""
    listed = [name for name in OUTCOMES if name in LISTED_OUTCOMES]
    if Action(operation.action).by_workers:
        return [name for name in listed if name != "unchanged" or operation.only_if_changed]
    return [name for name in listed if name not in _BY_WORKERS]


def describe_reason(code: str) -> str:
    return Reason(code).words if code in set(Reason) else code.replace("_", " ")
