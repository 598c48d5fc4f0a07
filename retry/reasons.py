"""Why a verb leaves an entry alone; pure."""

from enum import StrEnum

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
    def words(self) -> str:
        return self.value.replace("_", " ")


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
