"""Steps: one batch of what is old in one place, found from where the step before has stopped."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import connection

from retry.retention.audit import remove_events

#: A cursor before the first row: of what is taken by id, and by a time and then by id.
FIRST_ID = ("", "0")
FIRST_TIME = ("-infinity", "0")
FIRST_TIME_UUID = ("-infinity", "00000000-0000-0000-0000-000000000000")

Cursor = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked of a step. ``dry_run``: count what would be deleted, and delete nothing."""

    cutoff: datetime
    after: Cursor
    limit: int
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """What a step has looked at and deleted; ``scanned`` is 0 where nothing older is left."""

    scanned: int
    removed: int
    last: Cursor


Step = Callable[[Request], Batch]


@dataclass(frozen=True, slots=True)
class Statement:
    """A step that is one statement. It returns: scanned, removed, and the cursor's two parts."""

    sql: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, request: Request) -> Batch:
        with connection.cursor() as cursor:
            cursor.execute(self.sql, build_params(request) | dict(self.params))
            return _read(cursor.fetchone(), request)


def step_audit(request: Request) -> Batch:
    return _read(remove_events(build_params(request)), request)


def build_params(request: Request) -> dict[str, Any]:
    at, pk = request.after
    return {
        "cutoff": request.cutoff,
        "after_at": at,
        "after_id": pk,
        "limit": request.limit,
        "dry": request.dry_run,
    }


def _read(row: tuple[Any, ...], request: Request) -> Batch:
    scanned, removed, at, pk = row
    return Batch(scanned, removed, (at or "", pk) if pk is not None else request.after)


@dataclass(frozen=True, slots=True)
class Table:
    """A step through a table of another app, by its key; ``column`` has the time that counts.

    It ends at the first batch without old rows. ``updated``: the time of a row is moved on in
    place, so that an old one may come after younger ones, and it looks at all of them.
    """

    label: str
    column: str
    updated: bool = False

    def __call__(self, request: Request) -> Batch:
        rows = apps.get_model(self.label)._default_manager.order_by("pk")
        after = rows.filter(pk__gt=request.after[1])
        found = list(after.values_list("pk", self.column)[: request.limit])
        old = [pk for pk, at in found if at < request.cutoff]
        if old and not request.dry_run:
            rows.filter(pk__in=old).delete()
        looked_at = [pk for pk, _ in found] if self.updated else old
        last = ("", str(looked_at[-1])) if looked_at else request.after
        return Batch(len(looked_at), len(old), last)


def step_sessions(request: Request) -> Batch:
    """Delete sessions that expired before the cutoff, in the order in which they did."""
    sessions = apps.get_model("sessions.Session")._default_manager
    expired = sessions.filter(expire_date__lt=request.cutoff).order_by("expire_date")
    if request.dry_run:
        first = request.after == FIRST_ID
        return Batch(int(first), expired.count() if first else 0, ("", "counted"))
    keys = list(expired.values_list("pk", flat=True)[: request.limit])
    removed = sessions.filter(pk__in=keys).delete()[0] if keys else 0
    return Batch(len(keys), removed, request.after)
