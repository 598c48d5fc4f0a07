"""One failure of a group, as an example."""

from collections.abc import Sequence
from dataclasses import dataclass

from entries.models import Attempt, Entry
from retry.access.visibility import visible_entries
from retry.models import Action, ErrorGroup
from retry.outcomes import Actor

#: Entries of the group that its page lists.
NEWEST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """``newest``: the entries that failed last. ``attempt``: an attempt that failed so, of which
    the entry may have another status by now.
    """

    newest: Sequence[Entry]
    attempt: Attempt | None

    @property
    def suggestion(self) -> Action:
        """The action that fits, by ``choose_action``."""
        if self.attempt is None:
            return Action.RETRY
        entry = self.newest[0] if self.newest else self.attempt.entry
        return choose_action(entry, transient=self.attempt.transient)


def choose_action(entry: Entry, *, transient: bool) -> Action:
    """Return what fits a failed entry: what may pass is retried, else the input has to change
    first, which the source may have done.
    """
    return Action.RETRY if transient or entry.source_id is None else Action.RESYNC


def find_sample(group: ErrorGroup, *, actor: Actor) -> Sample:
    """Find examples among the entries that the actor may see, the newest first."""
    visible = visible_entries(actor)
    alike = visible.failed().filter(fingerprint=group.fingerprint)
    newest = list(alike.as_rows().order_by("-failed_at", "-id")[:NEWEST])
    shown = newest[0].pk if newest else group.sample_entry_id
    attempt = None
    if shown is not None and (newest or visible.filter(pk=shown).exists()):
        attempts = Attempt.objects.filter(entry=shown, fingerprint=group.fingerprint)
        attempt = attempts.select_related("entry").order_by("-number").first()
    return Sample(newest=newest, attempt=attempt)
