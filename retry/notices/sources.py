"""Notices for one source: which of them are about it."""

from typing import Any

from entries.models import Entry
from entries.states import EntryStatus
from retry.models import Hold, Notice, NoticeEvent, Operation

#: They are about all sources, so a subscription to one does not get them.
ABOUT_ALL = frozenset(
    {NoticeEvent.OUTAGE_BEGAN, NoticeEvent.OUTAGE_OVER, NoticeEvent.DISPATCHER_SILENT}
)
_TROUBLED = (EntryStatus.FAILED, EntryStatus.SCHEDULED, EntryStatus.QUEUED)


def is_about(notice: Notice, source_id: int) -> bool:
    """Whether entries of the source are among those that a notice tells of, as they are now."""
    details = notice.details
    match notice.event:
        case NoticeEvent.SOURCE_FAILING:
            return bool(details.get("source_id") == source_id)
        case NoticeEvent.GROUP_NEW | NoticeEvent.GROUP_REGRESSED:
            failed = Entry.objects.failed().filter(source=source_id)
            return failed.filter(fingerprint=details.get("fingerprint", "")).exists()
        case NoticeEvent.BREAKER_TRIPPED:
            return _is_held(details.get("hold"), source_id)
        case _ if "operation" in details:
            operations = Operation.objects.filter(pk=details["operation"])
            return operations.filter(source_ids__contains=[source_id]).exists()
    return notice.event not in ABOUT_ALL


def _is_held(hold_id: Any, source_id: int) -> bool:
    hold = Hold.objects.filter(pk=hold_id).first()
    if hold is None:
        return False
    waiting = Entry.objects.filter(kind=hold.kind, source=source_id, status__in=_TROUBLED)
    return (waiting.filter(upstream=hold.upstream) if hold.upstream else waiting).exists()
