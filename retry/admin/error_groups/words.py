"""Sentences about error groups."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from retry.admin.operations.words import OUTCOMES
from retry.admin.shared.actions import describe_action
from retry.admin.shared.bar import describe_counts
from retry.admin.shared.messages import PENDING, Message
from retry.error_groups.overview import GroupFacts, LastOperation
from retry.error_groups.samples import Sample
from retry.models import Action, ErrorGroup, Operation, OperationState

_DONE: Mapping[str, Promise] = {
    "acknowledge": _("Acknowledged."),
    "note": _("Note saved."),
    "mute": _("Muted."),
    "unmute": _("No longer muted: the group is open."),
    "resolve": _("Resolved. The next failure reopens it as regressed."),
    "reopen": _("Reopened."),
}


def describe_verb(verb: str) -> Message:
    return Message(messages.SUCCESS, str(_DONE[verb]))


def describe_proof(operation: Operation) -> Message:
    """For users who cannot look at the operation."""
    if operation.state == OperationState.AWAITING:
        return Message(PENDING, gettext("The proof starts when another user has approved it."))
    text = ngettext(
        "%(count)s entry is being tried. If it succeeds, the group is resolved.",
        "%(count)s entries are being tried, a few first. If all succeed, the group is resolved.",
        operation.total,
    )
    return Message(PENDING, text % {"count": intcomma(operation.total)})


def describe_count(facts: GroupFacts) -> str:
    """``3,333`` or ``10,000+``"""
    return f"{intcomma(facts.count)}+" if facts.more else intcomma(facts.count)


def describe_last(last: LastOperation) -> str:
    """``Retry of 400: 390 succeeded, 10 failed again``"""
    operation = last.operation
    counts = {name: getattr(last.tally, name) for name in last.tally.__slots__}
    settled = describe_counts(counts, OUTCOMES) or gettext(operation.state.replace("_", " "))
    return f"{describe_action(operation.action).count_short_title(operation.total)}: {settled}"


def describe_mute(group: ErrorGroup, *, everything: bool) -> dict[str, Any]:
    """Return what ends the mute: ``until`` and how many failures are ``left``.

    For users who may not see ``everything``: how many it was muted for, because what is left tells
    how many have failed.
    """
    left = group.mute_above
    if left is not None and everything:
        left = max(left - (group.failures - group.mute_from), 0)
    return {"until": group.muted_until, "left": left}


def explain_suggestion(sample: Sample) -> str:
    """Say why the suggested action fits."""
    if sample.attempt is None:
        return ""
    if sample.attempt.transient:
        return gettext("This error is transient: the same input may succeed later.")
    if sample.suggestion == Action.RESYNC:
        return gettext(
            "This error is permanent: the same input fails again. Resync fetches the input "
            "from its source first."
        )
    return gettext(
        "This error is permanent: the same input fails again, until the code or what it depends "
        "on is fixed."
    )
