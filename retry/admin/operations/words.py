"""Sentences about operations."""

import re
from collections.abc import Mapping, Sequence

from django.contrib import messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from entries.phrases import show
from retry.admin.shared.actions import describe_action
from retry.admin.shared.messages import PENDING, Message
from retry.models import Action, Operation, OperationState, PauseCause
from retry.operations.forecast import Forecast
from retry.operations.items import OUTCOMES as LISTED_OUTCOMES
from retry.operations.progress import Progress
from retry.operations.sight import BY_PAYLOAD, PARTLY_HIDDEN
from retry.reasons import Reason

#: In every language a word for it stands in front, and one for "not".
_FINGERPRINT = re.compile(r"\b[^\W\d]+ \d+-[0-9a-f]{32}\b")
_LEFT_OUT = re.compile(r"\b[^\W\d]+ [^\W\d]+ \d+-[0-9a-f]{32}(?: or \d+-[0-9a-f]{32})*")
#: What became of an operation's entries, in the order in which it happens.
OUTCOMES: Mapping[str, Promise] = {
    "succeeded": gettext_lazy("succeeded"),
    "failed": gettext_lazy("failed again"),
    "scheduled": gettext_lazy("scheduled"),
    "unchanged": gettext_lazy("unchanged"),
    "skipped": gettext_lazy("skipped"),
    "cancelled": gettext_lazy("cancelled"),
    "running": gettext_lazy("running"),
    "queued": gettext_lazy("queued"),
    "planned": gettext_lazy("planned"),
}
#: Outcomes that only the work of workers has.
_BY_WORKERS = frozenset({"queued", "running", "failed", "scheduled", "unchanged"})
_STATES: Mapping[str, Promise] = {
    OperationState.AWAITING.value: gettext_lazy("Awaiting approval"),
    OperationState.PAUSED.value: gettext_lazy("Paused"),
    OperationState.COMPLETED.value: gettext_lazy("Done"),
    OperationState.CANCELLED.value: gettext_lazy("Cancelled"),
}
#: Of a canary, and of a step of a ramp.
_TRIED: Mapping[str, tuple[Promise, Promise]] = {
    "under_way": (gettext_lazy("under way"), gettext_lazy("step %(number)s under way")),
    "passed": (gettext_lazy("passed"), gettext_lazy("passed")),
    "failed": (gettext_lazy("failed"), gettext_lazy("step %(number)s failed")),
    "overruled": (gettext_lazy("overruled by %(name)s"), gettext_lazy("overruled by %(name)s")),
    "cancelled": (gettext_lazy("cancelled"), gettext_lazy("step %(number)s cancelled")),
}
_CONTROLLED: Mapping[str, Promise] = {
    "approve": gettext_lazy("Approved. It starts as it was requested."),
    "reject": gettext_lazy("Rejected. The operation is cancelled; no entry was touched."),
    "reschedule": gettext_lazy("The start was changed."),
    "pause": gettext_lazy(
        "Paused. Running entries are finished; the rest waits until the operation is resumed."
    ),
    "resume": gettext_lazy("Resumed."),
    "overrule": gettext_lazy("Resumed without a canary."),
    "cancel": gettext_lazy(
        "Cancelled. Running entries finish; waiting ones get their earlier status back."
    ),
}


def get_preview_title(action: Action) -> str:
    return str(describe_action(action).bulk)


def get_title(operation: Operation) -> str:
    """``Retry 1,200 entries``"""
    return describe_action(operation.action).count_title(operation.total)


def describe_selection(words: str) -> str:
    """Say ``of one error group`` in place of the fingerprints in the words of a selection."""
    words = show(words)

    def count_left_out(match: re.Match[str]) -> str:
        number = match[0].count(" or ") + 1
        return ngettext(
            "without %(number)d error group", "without %(number)d error groups", number
        ) % {"number": number}

    if words == PARTLY_HIDDEN:
        return _("the entries that you may see")
    if words == BY_PAYLOAD:
        return _("entries by what is in their payloads")
    return _FINGERPRINT.sub(_("of one error group"), _LEFT_OUT.sub(count_left_out, words))


def get_tab_title(found: Progress) -> str:
    """``43 % · Retry 7,400``: what a tab shows of it beside others."""
    operation = found.operation
    what = describe_action(operation.action).count_short_title(operation.total)
    if operation.ended_at is not None or operation.state == OperationState.AWAITING:
        return f"{_STATES[operation.state]} · {what}"
    percent = 100 * found.settled // found.total if found.total else 0
    paused = f"{_STATES[operation.state]} · " if operation.state == OperationState.PAUSED else ""
    return f"{paused}{percent} % · {what}"


def describe_end(found: Progress) -> str:
    """Say how it ended, or that it paused by itself; empty while it needs no attention."""
    operation = found.operation
    if operation.state == OperationState.PAUSED:
        by_itself = operation.pause_cause != PauseCause.PERSON
        return show(operation.pause_reason) if by_itself else ""
    if operation.ended_at is None:
        return ""
    return _("%(succeeded)s succeeded, %(failed)s failed.") % {
        "succeeded": intcomma(found.succeeded + found.unchanged),
        "failed": intcomma(found.failed),
    }


def describe_canary(operation: Operation) -> str:
    """``20, under way``, or of a ramp ``10, 100, 1,000, rest: step 2 under way``"""
    state = operation.canary_state
    if state == "none":
        return ""
    entries = describe_steps(operation.ramp) or intcomma(operation.canary_size)
    if operation.started_at is None and state == "under_way":
        return entries
    of_canary, of_step = _TRIED[state]
    words = str(of_step if operation.ramp else of_canary) % {
        "number": operation.ramp_step + 1,
        "name": operation.canary_overruled_by,
    }
    return f"{entries}: {words}" if operation.ramp else f"{entries}, {words}"


def describe_pace(rate_per_second: float | None) -> str:
    if rate_per_second is None:
        return _("as fast as possible")
    return _("%(rate)s entries per second") % {"rate": number_format(f"{rate_per_second:g}")}


def describe_steps(steps: Sequence[int]) -> str:
    """``10, 100, 1,000, rest``"""
    return ", ".join([*map(intcomma, steps), _("rest")]) if steps else ""


def describe_forecast(found: Forecast | None, *, whole: bool) -> str:
    """``About 2 min at 60/s``; ``whole``: all that would be taken was counted."""
    if found is None:
        return ""
    if found.paced:
        exact, least = _("About %(time)s at %(rate)s/s"), _("More than %(time)s at %(rate)s/s")
    else:
        exact = _("About %(time)s at %(rate)s/s, as fast as recently")
        least = _("More than %(time)s at %(rate)s/s, as fast as recently")
    rate = intcomma(round(found.rate)) if found.rate >= 10 else number_format(f"{found.rate:.2g}")
    return (exact if whole else least) % {"time": _format_roughly(found.seconds), "rate": rate}


def _format_roughly(seconds: float) -> str:
    """``30 s``, ``2 min``, ``1.5 h`` or ``3 days``"""
    if seconds < 90:
        return _("%(count)d s") % {"count": max(1, round(seconds))}
    if seconds < 90 * 60:
        return _("%(count)d min") % {"count": round(seconds / 60)}
    if seconds < 48 * 3600:
        hours = f"{seconds / 3600:.1f}".removesuffix(".0")
        return _("%(count)s h") % {"count": number_format(hours)}
    days = round(seconds / 86400)
    return ngettext("%(count)d day", "%(count)d days", days) % {"count": days}


def describe_failure_limit(rate: float | None) -> str:
    if rate is None:
        return ""
    return _("%(number)s%%") % {"number": number_format(f"{rate * 100:g}")}


def describe_start(operation: Operation) -> Message:
    return Message(PENDING, describe_action(operation.action).count_begun(operation.total))


def warn_repeated_form() -> Message:
    text = _("This form was already submitted. No second operation was started.")
    return Message(messages.WARNING, text)


def describe_control(verb: str) -> Message:
    return Message(messages.SUCCESS, str(_CONTROLLED[verb]))


def list_outcomes(operation: Operation) -> Sequence[str]:
    """List the outcomes that entries of this operation can have, in the order of ``OUTCOMES``."""
    listed = [name for name in OUTCOMES if name in LISTED_OUTCOMES]
    if Action(operation.action).by_workers:
        return [name for name in listed if name != "unchanged" or operation.only_if_changed]
    return [name for name in listed if name not in _BY_WORKERS]


def describe_reason(code: str) -> str:
    return show(Reason(code).words) if code in set(Reason) else _(code.replace("_", " "))
