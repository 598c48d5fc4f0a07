"""The verbs above the list of entries: those that fit what the list shows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext, gettext_lazy

from entries.states import EntryStatus, find_allowed_statuses
from retry.admin.shared.actions import describe_action
from retry.models import Action

_LABELS: Mapping[Action, object] = {
    Action.RETRY: gettext_lazy("Retry"),
    Action.RESYNC: gettext_lazy("Resync"),
    Action.RETRY_NOW: gettext_lazy("Retry now"),
    Action.STOP: gettext_lazy("Stop retrying"),
    Action.REPAIR: gettext_lazy("Repair"),
    Action.RESTORE: gettext_lazy("Restore"),
    Action.DISCARD: gettext_lazy("Discard"),
}
#: The verb asks for more on a page of its own.
_ASKING = frozenset({Action.REPAIR})
#: The button stands apart from the others.
_DANGEROUS = frozenset({Action.DISCARD})
_SUFFIX = "_selected"


@dataclass(frozen=True, slots=True)
class Button:
    """``fits``: the statuses that the verb takes. ``index``: as Django's form wants it.

    ``all_label`` is for everything on all pages; ``some_label`` for those ticked that fit, with
    ``{fit}`` and ``{ticked}`` for the numbers.
    """

    action: str
    index: int
    label: str
    help: str
    all_label: str
    every_label: str
    some_label: str
    fits: str
    needs_source: bool
    dangerous: bool


def list_buttons(actions: Iterable[str], *, status: str) -> list[Button]:
    """List the buttons for ``actions``, as the list's form names them, that fit the ``status``.

    ``status``: of the list's filter; empty where it shows entries of every status.
    """
    known = {action for action in _LABELS if f"{action.value}{_SUFFIX}" in set(actions)}
    offered = [action for action in _LABELS if action in known and _fits(action, status)]
    return [_build_button(action, index) for index, action in enumerate(offered)]


def _fits(action: Action, status: str) -> bool:
    if status == EntryStatus.DISCARDED:
        # A resync would take them as well, but what was set aside is brought back on purpose.
        return action == Action.RESTORE
    known = {each.value for each in EntryStatus}
    return status not in known or EntryStatus(status) in find_allowed_statuses(action.value)


def _build_button(action: Action, index: int) -> Button:
    label = str(_LABELS[action])
    more = "…" if action in _ASKING else ""
    return Button(
        action=f"{action.value}{_SUFFIX}",
        index=index,
        label=f"{label}{more}",
        help=str(describe_action(action).help),
        all_label=gettext("%(verb)s all…") % {"verb": label},
        every_label=gettext("%(verb)s {ticked}") % {"verb": label} + more,
        some_label=gettext("%(verb)s {fit} of {ticked}") % {"verb": label} + more,
        fits=" ".join(sorted(find_allowed_statuses(action.value))),
        needs_source=action == Action.RESYNC,
        dangerous=action in _DANGEROUS,
    )
