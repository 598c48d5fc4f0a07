"""What can be done to one entry on its page, and why not."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from entries.models import Entry
from retry import service
from retry.access.permissions import DISCARD_ENTRY, RESYNC_ENTRY, RETRY_ENTRY
from retry.admin.shared.messages import (
    DEFERRED,
    Message,
    describe_discarded,
    describe_queued,
    describe_restored,
    describe_stopped,
)
from retry.outcomes import Actor, ItemOutcome
from retry.reasons import Reason, reason_for

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

#: Acts on one entry, and returns messages about the outcome.
Act = Callable[[int, Actor, str], Iterable[Message]]

_WHY_NOT: Mapping[Reason, str] = {
    Reason.ALREADY_QUEUED: _("This entry is queued."),
    Reason.ALREADY_RUNNING: _("A worker is processing this entry now."),
    Reason.ALREADY_SCHEDULED: _("This entry waits for its next automatic retry."),
    Reason.NOT_FAILED: _("This entry has not failed."),
    Reason.NOT_SCHEDULED: _("No automatic retry is scheduled."),
    Reason.NOT_DISCARDABLE: _("Only pending, scheduled and failed entries can be discarded."),
    Reason.NOT_DISCARDED: _("This entry is not discarded."),
    Reason.NO_SOURCE: _("This entry has no source."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """``name``: of the transition, and the last part of the address.

    ``lacking``: for users without the permission, whose name it has a place for.
    ``saves_edits``: unsaved edits of the form are stored with it; other verbs leave them alone.
    ``deferred_help``: in place of ``help`` for an entry that waits for its first attempt.
    """

    name: str
    label: str
    help: str
    permission: str
    permission_words: str
    lacking: str
    act: Act
    saves_edits: bool = False
    is_apart: bool = False
    deferred_help: str = ""

    def find_reason(self, entry: Entry) -> Reason | None:
        """Return why the entry's state does not allow it; None where it does."""
        return reason_for(entry.status, verb=self.name, has_source=entry.source_id is not None)

    def describe(self, entry: Entry) -> str:
        """Say what it does to the entry."""
        return gettext((entry.is_deferred and self.deferred_help) or self.help)

    def explain(self, entry: Entry, user: "User | AnonymousUser") -> str:
        """Say why ``user`` cannot do it to the entry now; empty where they can."""
        reason = self.find_reason(entry)
        if reason is Reason.ALREADY_SCHEDULED and entry.is_deferred:
            return gettext(DEFERRED)
        if reason is not None:
            return gettext(_WHY_NOT[reason])
        if user.has_perm(self.permission):
            return ""
        needs = gettext("You need the permission “%(name)s”.")
        return needs % {"name": gettext(self.permission_words)}


def _queue_with(verb: Callable[..., tuple[ItemOutcome, bool]]) -> Act:
    def act(entry_id: int, actor: Actor, reason: str) -> Iterable[Message]:
        item, dispatched = verb(entry_id, actor=actor, reason=reason)
        return describe_queued(item, dispatched=dispatched)

    return act


def _move_with(verb: Callable[..., ItemOutcome], describe: Callable[[ItemOutcome], Message]) -> Act:
    def act(entry_id: int, actor: Actor, reason: str) -> Iterable[Message]:
        return [describe(verb(entry_id, actor=actor, reason=reason))]

    return act


_MAY_RETRY, _MAY_RESYNC = _("Can retry an entry"), _("Can resync an entry")
_MAY_DISCARD = _("Can discard an entry and restore it")
#: In the order of their buttons; the first that is allowed is the default.
VERBS: Mapping[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb(
            name="retry",
            label=_("Retry"),
            help=_("Retry runs the stored input again."),
            permission=RETRY_ENTRY,
            permission_words=_MAY_RETRY,
            lacking=_("You can view this entry. To retry it, you need the permission “%(name)s”."),
            act=_queue_with(service.retry_entry),
            saves_edits=True,
        ),
        Verb(
            name="retry_now",
            label=_("Retry now"),
            help=_("Retry now does not wait for the automatic retry."),
            deferred_help=_("Retry now makes the first attempt at once."),
            permission=RETRY_ENTRY,
            permission_words=_MAY_RETRY,
            lacking=_(
                "You can view this entry. To retry it now, you need the permission “%(name)s”."
            ),
            act=_queue_with(service.retry_entry_now),
            saves_edits=True,
        ),
        Verb(
            name="stop",
            label=_("Stop retrying"),
            help=_("Stop retrying marks the entry failed and stops automatic retries."),
            deferred_help=_("Stop retrying marks the entry failed; its first attempt is not made."),
            permission=RETRY_ENTRY,
            permission_words=_MAY_RETRY,
            lacking=_(
                "You can view this entry. To stop retrying it, you need the permission “%(name)s”."
            ),
            act=_move_with(service.stop_retrying_entry, describe_stopped),
        ),
        Verb(
            name="resync",
            label=_("Resync"),
            help=_("Resync fetches the input from its source first, then runs it."),
            permission=RESYNC_ENTRY,
            permission_words=_MAY_RESYNC,
            lacking=_("You can view this entry. To resync it, you need the permission “%(name)s”."),
            act=_queue_with(service.resync_entry),
        ),
        Verb(
            name="restore",
            label=_("Restore"),
            help=_("Restore returns the entry to the status it had before it was discarded."),
            permission=DISCARD_ENTRY,
            permission_words=_MAY_DISCARD,
            lacking=_(
                "You can view this entry. To restore it, you need the permission “%(name)s”."
            ),
            act=_move_with(service.restore_entry, describe_restored),
        ),
        Verb(
            name="discard",
            label=_("Discard"),
            help=_("Discard sets the entry aside; it can be restored."),
            permission=DISCARD_ENTRY,
            permission_words=_MAY_DISCARD,
            lacking=_(
                "You can view this entry. To discard it, you need the permission “%(name)s”."
            ),
            act=_move_with(service.discard_entry, describe_discarded),
            is_apart=True,
        ),
    )
}
