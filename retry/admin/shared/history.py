"""The history of one object: its audit events, and Django's own log entries."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from entries.admin import display
from entries.models import Entry, Source
from entries.phrases import show
from retry.access.events import shield
from retry.access.permissions import VIEW_AUDIT, VIEW_RUN
from retry.access.records import visible_events, visible_runs
from retry.access.visibility import sees_everything
from retry.admin.shared.actor import get_actor
from retry.admin.shared.verb_names import name_actor, name_verb
from retry.edits import get_subject
from retry.models import AuditEvent, ErrorGroup, Operation, Run, Trigger
from retry.outcomes import Actor

#: Rows of each, the newest.
MAX_LINES = 100
#: A log entry and an audit event this close together are the same edit.
_SAME_EDIT = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Line:
    at: datetime
    who: str
    what: str
    reason: str = ""
    before: str = ""
    after: str = ""
    #: The audit event, for those who may see it.
    url: str = ""


def list_history(obj: Model, request: HttpRequest) -> list[Line]:
    """List what happened to ``obj``, newest first. The caller checks who may see ``obj``."""
    actor = get_actor(request)
    visible = visible_events(actor)
    events = shield(list(_find_events(obj, visible, actor=actor)[:MAX_LINES]), actor=actor)
    logs = LogEntry.objects.filter(
        object_id=str(obj.pk), content_type=ContentType.objects.get_for_model(type(obj))
    ).select_related("user")
    lines: list[Line] = []
    words: dict[int, str] = {}
    for log in logs.order_by("-id")[:MAX_LINES]:
        event = next((event for event in events if _is_same_edit(log, event)), None)
        if event is None:
            lines.append(_build_log_line(log))
        else:
            words[event.pk] = log.get_change_message()
    lines += [_build_line(event, request, words=words.get(event.pk, "")) for event in events]
    if isinstance(obj, Entry):
        lines += _list_group_requests(obj, events, request, visible=visible)
    return sorted(lines, key=lambda line: line.at, reverse=True)[:MAX_LINES]


def _find_events(
    obj: Model, visible: QuerySet[AuditEvent], *, actor: Actor
) -> QuerySet[AuditEvent]:
    found = visible.order_by("-id")
    match obj:
        case Entry():
            return found.filter(entry_id=obj.pk)
        case Source():
            return found.filter(source_id=obj.pk)
        case Operation():
            return found.filter(operation_id=obj.pk)
        case Run():
            # A run has at most one event; it is found by the index on its only entry.
            ids = obj.entry_ids
            return found.filter(entry_id=ids[0], run_id=obj.pk) if len(ids) == 1 else found.none()
        case ErrorGroup() if not sees_everything(actor):
            # That it regressed, or is open again, may be the doing of hidden entries.
            said = AuditEvent.objects.filter(subject=get_subject(obj)).exclude(channel="system")
            return said.order_by("-id")
        case _:
            # Who sees the object sees what was done to it.
            return AuditEvent.objects.order_by("-id").filter(subject=get_subject(obj))


def _build_line(event: AuditEvent, request: HttpRequest, *, words: str) -> Line:
    url = ""
    if request.user.has_perm(VIEW_AUDIT):
        url = reverse("admin:retry_auditevent_change", args=[event.pk])
    return Line(
        at=event.at,
        who=name_actor(event),
        what=name_verb(event.verb),
        reason=show(event.reason) or words,
        before=_format(event.before),
        after=_format(event.after),
        url=url,
    )


def _list_group_requests(
    entry: Entry,
    events: Iterable[AuditEvent],
    request: HttpRequest,
    *,
    visible: QuerySet[AuditEvent],
) -> list[Line]:
    """List what was asked for many entries at once, whose events name none of them: operations,
    and runs of ticked entries."""
    actor = get_actor(request)
    attempts = entry.attempts.order_by("-number").values_list("run_id", "number")[:MAX_LINES]
    numbers = dict(attempts)
    known = {event.run_id for event in events}
    runs = visible_runs(actor).filter(pk__in=numbers).defer("entry_ids", "skipped")
    loose = [run for run in runs if run.pk not in known]
    operations = {run.operation_id for run in loose if run.operation_id}
    started = visible.filter(operation_id__in=operations, verb__startswith="start_")
    shown = shield(list(started), actor=actor) if operations else []
    lines = [_build_line(event, request, words="") for event in shown]
    return lines + [
        _build_run_line(run, request, first=numbers[run.pk] == 1)
        for run in loose
        if not run.operation_id
    ]


def _build_run_line(run: Run, request: HttpRequest, *, first: bool) -> Line:
    url = ""
    if request.user.has_perm(VIEW_RUN):
        url = reverse("admin:retry_run_change", args=[run.pk])
    deferred = first and run.trigger == Trigger.AUTOMATIC  # nothing had failed before
    what = str(Trigger.SUBMIT.label) if deferred else run.get_trigger_display()
    return Line(at=run.created_at, who=run.actor_label, what=what, reason=show(run.reason), url=url)


def _build_log_line(log: LogEntry) -> Line:
    return Line(at=log.action_time, who=log.user.get_username(), what=log.get_change_message())


def _is_same_edit(log: LogEntry, event: AuditEvent) -> bool:
    same_time = abs(event.at - log.action_time) <= _SAME_EDIT
    edit = event.verb.startswith(("add_", "change_", "delete_"))
    return edit and same_time and event.actor_id == log.user_id


def _format(value: Any) -> str:
    return display.format_json(value) if value else ""
