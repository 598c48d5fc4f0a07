"""What actions are called on the screen, each in whole sentences."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, ngettext

from retry.models import Action

#: Where people choose between the two.
RETRY_OR_RESYNC = gettext_noop(
    "Retry runs the stored input again. Resync fetches the input from its source first. If the "
    "source cannot be read, the entry keeps its status."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionWords:
    """``do`` is the name in lower case, ``label`` as on a button; ``help`` is for the choice.

    ``title``, ``short_title`` and ``begun`` have a number, which the methods fill in.
    """

    do: Promise
    label: Promise
    title: Callable[[int], str]
    short_title: Promise
    begun: Callable[[int], str]
    #: Nothing fits: of an operation that was to be started, with ``%(why)s``.
    nothing: Promise
    bulk: Promise
    every: Promise
    #: What a preview says of the entries that fit, of those that do not, and where none does.
    will: Promise
    unable: Promise
    none: Promise
    #: Of the list of entries, and of the page of an operation.
    matching: Promise | str = ""
    failed: Promise | str = ""
    help: Promise | str = ""

    def count_title(self, count: int) -> str:
        """``Retry 1,200 entries``"""
        return self.title(count) % {"count": intcomma(count)}

    def count_short_title(self, count: int) -> str:
        """``Retry 1,200``"""
        return str(self.short_title) % {"count": intcomma(count)}

    def count_begun(self, count: int) -> str:
        """``1,200 entries are being retried.``"""
        return self.begun(count) % {"count": intcomma(count)}


_WORDS: Mapping[Action, ActionWords] = {
    Action.RETRY: ActionWords(
        do=_("retry"),
        label=_("Retry"),
        title=lambda n: ngettext("Retry %(count)s entry", "Retry %(count)s entries", n),
        short_title=_("Retry %(count)s"),
        begun=lambda n: ngettext(
            "%(count)s entry is being retried.", "%(count)s entries are being retried.", n
        ),
        nothing=_("Nothing can be retried: %(why)s. No operation was started."),
        bulk=_("Retry in bulk"),
        every=_("Retry all of them"),
        matching=_("Retry all that match"),
        failed=_("Retry what failed"),
        will=_("will be retried"),
        unable=_("Entries that cannot be retried are left alone."),
        none=_("No entry can be retried."),
        help=_(RETRY_OR_RESYNC),
    ),
    Action.RESYNC: ActionWords(
        do=_("resync"),
        label=_("Resync"),
        title=lambda n: ngettext("Resync %(count)s entry", "Resync %(count)s entries", n),
        short_title=_("Resync %(count)s"),
        begun=lambda n: ngettext(
            "%(count)s entry is being resynced.", "%(count)s entries are being resynced.", n
        ),
        nothing=_("Nothing can be resynced: %(why)s. No operation was started."),
        bulk=_("Resync in bulk"),
        every=_("Resync all of them"),
        matching=_("Resync all that match"),
        failed=_("Resync what failed"),
        will=_("will be resynced"),
        unable=_("Entries that cannot be resynced are left alone."),
        none=_("No entry can be resynced."),
        help=_(RETRY_OR_RESYNC),
    ),
    Action.RETRY_NOW: ActionWords(
        do=_("retry now"),
        label=_("Retry now"),
        title=lambda n: ngettext("Retry now %(count)s entry", "Retry now %(count)s entries", n),
        short_title=_("Retry now %(count)s"),
        begun=lambda n: ngettext(
            "%(count)s entry is being retried now.", "%(count)s entries are being retried now.", n
        ),
        nothing=_("Nothing can be retried now: %(why)s. No operation was started."),
        bulk=_("Retry now in bulk"),
        every=_("Retry now all of them"),
        matching=_("Retry now all that match"),
        failed=_("Retry now what failed"),
        will=_("will be retried now"),
        unable=_("Entries that cannot be retried now are left alone."),
        none=_("No entry can be retried now."),
    ),
    Action.STOP: ActionWords(
        do=_("stop retrying"),
        label=_("Stop retrying"),
        title=lambda n: ngettext(
            "Stop retrying %(count)s entry", "Stop retrying %(count)s entries", n
        ),
        short_title=_("Stop retrying %(count)s"),
        begun=lambda n: ngettext(
            "%(count)s entry is being stopped.", "%(count)s entries are being stopped.", n
        ),
        nothing=_("Nothing can be stopped: %(why)s. No operation was started."),
        bulk=_("Stop retrying in bulk"),
        every=_("Stop retrying all of them"),
        matching=_("Stop retrying all that match"),
        will=_("will be stopped"),
        unable=_("Entries that cannot be stopped are left alone."),
        none=_("No entry can be stopped."),
    ),
    Action.DISCARD: ActionWords(
        do=_("discard"),
        label=_("Discard"),
        title=lambda n: ngettext("Discard %(count)s entry", "Discard %(count)s entries", n),
        short_title=_("Discard %(count)s"),
        begun=lambda n: ngettext(
            "%(count)s entry is being discarded.", "%(count)s entries are being discarded.", n
        ),
        nothing=_("Nothing can be discarded: %(why)s. No operation was started."),
        bulk=_("Discard in bulk"),
        every=_("Discard all of them"),
        matching=_("Discard all that match"),
        will=_("will be discarded"),
        unable=_("Entries that cannot be discarded are left alone."),
        none=_("No entry can be discarded."),
    ),
    Action.RESTORE: ActionWords(
        do=_("restore"),
        label=_("Restore"),
        title=lambda n: ngettext("Restore %(count)s entry", "Restore %(count)s entries", n),
        short_title=_("Restore %(count)s"),
        begun=lambda n: ngettext(
            "%(count)s entry is being restored.", "%(count)s entries are being restored.", n
        ),
        nothing=_("Nothing can be restored: %(why)s. No operation was started."),
        bulk=_("Restore in bulk"),
        every=_("Restore all of them"),
        matching=_("Restore all that match"),
        will=_("will be restored"),
        unable=_("Entries that cannot be restored are left alone."),
        none=_("No entry can be restored."),
    ),
    Action.REPAIR: ActionWords(
        do=_("repair and retry"),
        label=_("Repair and retry"),
        title=lambda n: ngettext(
            "Repair and retry %(count)s entry", "Repair and retry %(count)s entries", n
        ),
        short_title=_("Repair and retry %(count)s"),
        begun=lambda n: ngettext(
            "%(count)s entry is being repaired and retried.",
            "%(count)s entries are being repaired and retried.",
            n,
        ),
        nothing=_("Nothing can be repaired and retried: %(why)s. No operation was started."),
        bulk=_("Repair and retry in bulk"),
        every=_("Repair and retry all of them"),
        will=_("will be repaired and retried"),
        unable=_("Entries that cannot be repaired and retried are left alone."),
        none=_("No entry can be repaired and retried."),
        help=_(
            "Repair changes the payloads of many entries at once, after a preview, and retries "
            "them."
        ),
    ),
    Action.UNDO: ActionWords(
        do=_("undo the repair"),
        label=_("Undo the repair"),
        title=lambda n: ngettext(
            "Undo the repair of %(count)s entry", "Undo the repair of %(count)s entries", n
        ),
        short_title=_("Undo the repair of %(count)s"),
        begun=lambda n: ngettext(
            "%(count)s entry is being undone.", "%(count)s entries are being undone.", n
        ),
        nothing=_("Nothing can be undone: %(why)s. No operation was started."),
        bulk=_("Undo the repair in bulk"),
        every=_("Undo the repair of all of them"),
        will=_("will be undone"),
        unable=_("Entries that cannot be undone are left alone."),
        none=_("No entry can be undone."),
    ),
}


def describe_action(action: str) -> ActionWords:
    return _WORDS[Action(action)]
