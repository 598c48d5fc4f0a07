"""Why a verb leaves an entry alone; pure."""

from enum import StrEnum

from django.utils.translation import gettext_noop

from entries.phrases import Phrase, phrase
from entries.states import EntryStatus, find_allowed_statuses


class Reason(StrEnum):
    """Why a verb left an entry of its selection alone."""

    NOT_FOUND = "not_found"
    NOT_FAILED = "not_failed"
    NOT_PENDING = "not_pending"
    NOT_DISCARDABLE = "not_discardable"
    NOT_DISCARDED = "not_discarded"
    NOT_SCHEDULED = "not_scheduled"
    NO_SOURCE = "no_source"
    ALREADY_QUEUED = "already_queued"
    ALREADY_RUNNING = "already_running"
    ALREADY_SCHEDULED = "already_scheduled"
    FORBIDDEN = "forbidden"
    UNCHANGED = "unchanged"
    DISCARDED = "discarded"
    OTHER_KIND = "other_kind"
    REPAIR_MISFIT = "repair_misfit"
    CONTENT_REFUSED = "content_refused"
    CHANGED_SINCE = "changed_since"

    @property
    def words(self) -> Phrase:
        return Phrase(_WORDS[self])


_WORDS = {
    Reason.NOT_FOUND: gettext_noop("not found"),
    Reason.NOT_FAILED: gettext_noop("not failed"),
    Reason.NOT_PENDING: gettext_noop("not pending"),
    Reason.NOT_DISCARDABLE: gettext_noop("not discardable"),
    Reason.NOT_DISCARDED: gettext_noop("not discarded"),
    Reason.NOT_SCHEDULED: gettext_noop("not scheduled"),
    Reason.NO_SOURCE: gettext_noop("no source"),
    Reason.ALREADY_QUEUED: gettext_noop("already queued"),
    Reason.ALREADY_RUNNING: gettext_noop("already running"),
    Reason.ALREADY_SCHEDULED: gettext_noop("already scheduled"),
    Reason.FORBIDDEN: gettext_noop("forbidden"),
    Reason.UNCHANGED: gettext_noop("unchanged"),
    Reason.DISCARDED: gettext_noop("discarded"),
    Reason.OTHER_KIND: gettext_noop("other kind"),
    Reason.REPAIR_MISFIT: gettext_noop("repair misfit"),
    Reason.CONTENT_REFUSED: gettext_noop("content refused"),
    Reason.CHANGED_SINCE: gettext_noop("changed since"),
}

_ALREADY = {
    EntryStatus.QUEUED: Reason.ALREADY_QUEUED,
    EntryStatus.RUNNING: Reason.ALREADY_RUNNING,
    EntryStatus.SCHEDULED: Reason.ALREADY_SCHEDULED,
}
_NOT = {
    "retry": Reason.NOT_FAILED,
    "repair": Reason.NOT_FAILED,
    "wake": Reason.NOT_FAILED,
    "submit": Reason.NOT_PENDING,
    "defer": Reason.NOT_PENDING,
    "discard": Reason.NOT_DISCARDABLE,
    "restore": Reason.NOT_DISCARDED,
    "retry_now": Reason.NOT_SCHEDULED,
    "stop": Reason.NOT_SCHEDULED,
    "resubmit": Reason.DISCARDED,
}


def reason_for(status: str | None, *, verb: str, has_source: bool = True) -> Reason | None:
    """Why ``verb`` leaves an entry of that status alone; None where it does not."""
    if status is None:
        return Reason.NOT_FOUND
    if status not in find_allowed_statuses(verb):
        already = _ALREADY.get(EntryStatus(status))
        return already or _NOT[verb]
    return Reason.NO_SOURCE if verb == "resync" and not has_source else None


#: By verb, what it accepts.
_ONLY = {
    "retry": gettext_noop("Entry %(entry)s is %(status)s; only failed entries can be retried."),
    "retry_now": gettext_noop(
        "Entry %(entry)s is %(status)s; only scheduled entries can be retried now."
    ),
    "stop": gettext_noop(
        "Entry %(entry)s is %(status)s; only scheduled entries have automatic retries to stop."
    ),
    "resync": gettext_noop(
        "Entry %(entry)s is %(status)s; it can be resynced when it is no longer queued or running."
    ),
    "repair": gettext_noop(
        "Entry %(entry)s is %(status)s; only failed and scheduled entries can be repaired."
    ),
    "undo": gettext_noop(
        "Entry %(entry)s is %(status)s; it can be undone when it is no longer queued or running."
    ),
    "discard": gettext_noop(
        "Entry %(entry)s is %(status)s; only pending, scheduled and failed entries can be "
        "discarded."
    ),
    "restore": gettext_noop(
        "Entry %(entry)s is %(status)s; only discarded entries can be restored."
    ),
}


def explain(reason: Reason, *, status: EntryStatus, entry_id: int, verb: str) -> Phrase:
    """Say in a sentence why ``verb`` left an entry alone that is there."""
    entry = str(entry_id)
    if reason is Reason.NO_SOURCE:
        return phrase(
            "Entry %(entry)s has no source to resync from; retry it instead.", entry=entry
        )
    return Phrase(_ONLY[verb], values={"entry": entry, "status": Phrase(status.value)})
