"""The status page, which refreshes itself, and the tiles on the front page."""

from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from django.conf import settings
from django.contrib import admin
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from retry import status as desk
from retry.access.permissions import VIEW_STATUS
from retry.access.visibility import sees_nothing, visible_counts
from retry.admin.desk import alarms
from retry.admin.holds import words as hold_words
from retry.admin.shared.acting import actor_of

#: Counting entries takes its time on a large table, and several people may watch.
_STATUS_SECONDS = 1
_COUNTS_SECONDS = 3


@dataclass(frozen=True, slots=True)
class Tile:
    status: str
    count: int
    url: str


@dataclass(frozen=True, slots=True)
class QueueRow:
    name: str
    #: None where Redis cannot be reached.
    waiting: int | None
    #: Those that are heard of.
    workers: int
    #: How long the oldest of what could start has been waiting.
    oldest: timedelta | None


@require_safe
def status_page(request: HttpRequest) -> HttpResponse:
    """The page, or for htmx only what changes on it."""
    if not request.user.has_perm(VIEW_STATUS):
        raise PermissionDenied
    found = cast("desk.Status", cache.get_or_set("redrive.status", desk.read, _STATUS_SECONDS))
    context = {
        "status": found,
        "tiles": _tiles(visible_counts(found.entries, actor=actor_of(request)) or {}),
        "queues": _queue_rows(found),
        "problems": (*alarms.of(found), *hold_words.alarms(request)),
    }
    if request.headers.get("HX-Request") == "true":
        return TemplateResponse(request, "retry/status/live.html", context)
    everywhere = admin.site.each_context(request) | {"title": "Status", "alarms": ()}
    return TemplateResponse(request, "admin/retry/status.html", everywhere | context)


def tiles_for(request: HttpRequest) -> list[Tile]:
    actor = actor_of(request)
    if sees_nothing(actor):
        return []
    counted = cache.get_or_set("redrive.counts", desk.count_entries, _COUNTS_SECONDS) or {}
    return _tiles(visible_counts(counted, actor=actor) or {})


def _tiles(counts: dict[str, int]) -> list[Tile]:
    url = reverse("admin:entries_entry_changelist")
    return [
        Tile(status, count, f"{url}?{urlencode({'status': status})}")
        for status, count in counts.items()
    ]


def _queue_rows(found: desk.Status) -> list[QueueRow]:
    return [
        QueueRow(
            name,
            None if found.queues is None else found.queues[name],
            len(found.find_workers(name)),
            found.waits.get(name),
        )
        for name in settings.RQ_QUEUES
    ]
