"""The history of one object: what the audit knows of it, and what Django noted beside it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from entries.admin import show
from entries.models import Entry, Source
from retry.access.permissions import VIEW_AUDIT
from retry.edits import get_subject
from retry.models import AuditEvent, Operation, Run

#: Newest rows of each that are shown.
SHOWN = 100
#: Django's own note of an edit stands so close to the audit's, and is told with it.
_SAME = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Line:
    at: datetime
    who: str
    what: str
    reason: str = ""
    before: str = ""
    after: str = ""
    #: Where more is said, for those who may see it.
    url: str = ""


def history_of(obj: Model, request: HttpRequest) -> list[Line]:
    """Newest first. For those who may see ``obj``."""
    events = list(_events(obj)[:SHOWN])
    noted = LogEntry.objects.filter(
        object_id=str(obj.pk), content_type=ContentType.objects.get_for_model(type(obj))
    ).select_related("user")
    lines: list[Line] = []
    words: dict[int, str] = {}
    for log in noted.order_by("-id")[:SHOWN]:
        event = next((event for event in events if _is_of(log, event)), None)
        if event is None:
            lines.append(_noted(log))
        else:
            words[event.pk] = log.get_change_message()
    lines += [_line(event, request, words=words.get(event.pk, "")) for event in events]
    return sorted(lines, key=lambda line: line.at, reverse=True)[:SHOWN]


def _events(obj: Model) -> QuerySet[AuditEvent]:
    found = AuditEvent.objects.order_by("-id")
    match obj:
        case Entry():
            return found.filter(entry_id=obj.pk)
        case Source():
            return found.filter(source_id=obj.pk)
        case Operation():
            return found.filter(operation_id=obj.pk)
        case Run():
            # Runs have one event at the most, and the entry of a single one has an index.
            ids = obj.entry_ids
            return found.filter(entry_id=ids[0], run_id=obj.pk) if len(ids) == 1 else found.none()
        case _:
            return found.filter(subject=get_subject(obj))


def _line(event: AuditEvent, request: HttpRequest, *, words: str) -> Line:
    url = ""
    if request.user.has_perm(VIEW_AUDIT):
        url = reverse("admin:retry_auditevent_change", args=[event.pk])
    return Line(
        at=event.at,
        who=event.actor_label,
        what=event.verb.replace("_", " "),
        reason=event.reason or words,
        before=_pretty(event.before),
        after=_pretty(event.after),
        url=url,
    )


def _noted(log: LogEntry) -> Line:
    return Line(at=log.action_time, who=log.user.get_username(), what=log.get_change_message())


def _is_of(log: LogEntry, event: AuditEvent) -> bool:
    """Whether both tell of the same edit."""
    same_time = abs(event.at - log.action_time) <= _SAME
    edit = event.verb.startswith(("add_", "change_", "delete_"))
    return edit and same_time and event.actor_id == log.user_id


def _pretty(value: Any) -> str:
    return show.pretty(value) if value else ""
