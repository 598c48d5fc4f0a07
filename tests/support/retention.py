"""Weeks of everything that retention knows, as it is when all of it is over."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db.models import Model

from entries.models import NOTICE_SOURCE_KIND, Attempt, Edit, Entry, Source
from retry.models import (
    AuditEvent,
    ErrorGroup,
    Hold,
    Import,
    Notice,
    NoticeDelivery,
    Operation,
    Outage,
    Run,
    Sync,
)

#: What a week adds, and by which column its rows have their time.
TABLES: Mapping[type[Model], tuple[int, str]] = {
    Entry: (5, "created_at"),
    Attempt: (10, "queued_at"),
    Run: (6, "created_at"),
    Operation: (2, "created_at"),
    Sync: (4, "created_at"),
    Import: (3, "created_at"),
    Hold: (1, "lifted_at"),
    ErrorGroup: (1, "last_seen"),
    Notice: (2, "recorded_at"),
    Outage: (1, "began_at"),
    AuditEvent: (5, "at"),
    Session: (3, "expire_date"),
    AccessLog: (2, "attempt_time"),
    AccessFailureLog: (2, "attempt_time"),
    AccessAttempt: (1, "attempt_time"),
    LogEntry: (2, "action_time"),
}


def add_at_rest(times: Sequence[datetime], *, status: str, **values: Any) -> list[Entry]:
    """Entries that came to rest at these times, each with two attempts and an edit."""
    given: dict[str, Any] = {"kind": "scripted", "attempt": 2, "status": status} | values
    entries = Entry.objects.bulk_create(
        Entry(
            external_id=uuid4().hex,
            **given,
            **({"failed_at": at, "fingerprint": "1-a"} if status == "failed" else {}),
            **dict.fromkeys(("created_at", "updated_at", "status_changed_at"), at),
        )
        for at in times
    )
    Attempt.objects.bulk_create(
        Attempt(
            entry=entry,
            number=number,
            run_id=uuid4(),
            status="failed",
            traceback="Traceback …",
            **dict.fromkeys(("queued_at", "started_at", "ended_at"), at),
        )
        for at, entry in zip(times, entries, strict=True)
        for number in (1, 2)
    )
    Edit.objects.bulk_create(
        Edit(entry=entry, attempt=2, payload_before={}, payload_after={}, hash_after="x")
        for entry in entries
    )
    return entries


def build_run(at: datetime, **values: Any) -> Run:
    given: dict[str, Any] = {
        "trigger": "retry",
        "kind": "scripted",
        "queue": "bulk",
        "actor_label": "x",
    }
    given |= {"entry_ids": [1], "size": 1, "state": "finished"}
    return Run(**(given | {"created_at": at, "ended_at": at} | values))


def build_operation(at: datetime, **values: Any) -> Operation:
    ended = {"state": "completed", "created_at": at, "ended_at": at, "selection_words": "x"}
    return Operation(action="retry", actor_label="x", **(ended | values))


def build_group(at: datetime, **values: Any) -> ErrorGroup:
    times = {"first_seen": at, "last_seen": at, "created_at": at}
    return ErrorGroup(**({"fingerprint": uuid4().hex, "error_class": "E"} | times | values))


def build_event(at: datetime) -> AuditEvent:
    return AuditEvent(at=at, verb="retry", actor_label="x", channel="api")


def build_over(at: datetime) -> dict[str, Any]:
    return {"state": "succeeded", "created_at": at, "ended_at": at, "actor_label": "x"}


def add_notices(
    times: Sequence[datetime], *, status: str = "succeeded", outages: Sequence[Outage] = ()
) -> list[Notice]:
    """Notices, each with a delivery whose entry is at rest."""
    source, _ = Source.objects.get_or_create(kind=NOTICE_SOURCE_KIND, slug="redrive-notices")
    told = {"event": "group_new", "subject": "x"}
    notices = Notice.objects.bulk_create(
        Notice(key=uuid4().hex, recorded_at=at, told_at=at, **told) for at in times
    )
    for notice, outage in zip(notices, outages, strict=False):
        notice.outage = outage
    Notice.objects.bulk_update(notices, ["outage"])
    entries = add_at_rest(times, status=status, source=source, kind="mail")
    NoticeDelivery.objects.bulk_create(
        NoticeDelivery(notice=notice, channel="mail", target="a@b.example", entry=entry)
        for notice, entry in zip(notices, entries, strict=True)
    )
    return notices


def add_weeks(times: Sequence[datetime], *, source: Source, user: User) -> None:
    """What weeks leave behind, all of it over at these times, oldest first."""
    add_at_rest(_repeat(times, 2), status="succeeded")
    add_at_rest(times, status="discarded")
    Run.objects.bulk_create(build_run(at) for at in _repeat(times, 2))
    operations = Operation.objects.bulk_create(build_operation(at) for at in _repeat(times, 2))
    Run.objects.bulk_create(
        build_run(operation.created_at, operation=operation)
        for operation in operations
        for _ in range(2)
    )
    over = [build_over(at) for at in times]
    Sync.objects.bulk_create(Sync(source=source, **given) for given in over for _ in range(4))
    file = {"kind": "scripted", "file_name": "a.csv", "file_format": "csv", "channel": "admin"}
    rows = [Import(dry_run=True, **given, **file) for given in over for _ in range(2)]
    Import.objects.bulk_create(rows)
    Import.objects.bulk_create(
        Import(confirms=preview, **given, **file)
        for preview, given in zip(rows[::2], over, strict=True)
    )
    Hold.objects.bulk_create(
        Hold(kind=uuid4().hex, actor_label="x", created_at=at, lifted_at=at) for at in times
    )
    ErrorGroup.objects.bulk_create(build_group(at) for at in times)
    outages = Outage.objects.bulk_create(
        Outage(began_at=at, opened_at=at, over_at=at, is_open=None) for at in times
    )
    add_notices(times, outages=outages)
    add_notices(times, status="failed")
    AuditEvent.objects.bulk_create(build_event(at) for at in _repeat(times, 5))
    _add_logins(times, user=user)


def _repeat(times: Sequence[datetime], number: int) -> list[datetime]:
    return [at for at in times for _ in range(number)]


def _add_logins(times: Sequence[datetime], *, user: User) -> None:
    for model, number in ((AccessLog, 2), (AccessFailureLog, 2), (AccessAttempt, 1)):
        given = _repeat(times, number)
        extra = {"failures_since_start": 1} if model is AccessAttempt else {}
        rows = [model(user_agent=uuid4().hex, username="x", **extra) for _ in given]
        model.objects.bulk_create(rows)  # which writes the present time
        for row, at in zip(rows, given, strict=True):
            row.attempt_time = at
        model.objects.bulk_update(rows, ["attempt_time"])
    Session.objects.bulk_create(
        Session(session_key=uuid4().hex, session_data="", expire_date=at)
        for at in _repeat(times, 3)
    )
    LogEntry.objects.bulk_create(
        LogEntry(action_time=at, user=user, object_repr="x", action_flag=2)
        for at in _repeat(times, 2)
    )
