"""The status page, which keeps itself up to date, and the counts on the front page."""

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
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from entries.admin.live import LiveFragment, respond
from entries.lists import StatusCounts
from retry import status as engine
from retry.access.permissions import VIEW_STATUS
from retry.access.visibility import find_scope, sees_everything, sees_nothing, visible_counts
from retry.admin.desk.alarms import describe_status
from retry.admin.desk.engine import get_retention, get_sizes, list_holds, list_worker_rows
from retry.admin.holds import words as holds
from retry.admin.shared.actor import get_actor
from retry.outcomes import Actor

#: Counting entries is slow on a large table, and several people may watch.
_STATUS_SECONDS = 1
_COUNTS_SECONDS = 3


@dataclass(frozen=True, slots=True)
class Tile:
    status: str
    count: int
    #: There are more than ``count``.
    more: bool
    url: str


@dataclass(frozen=True, slots=True)
class QueueRow:
    name: str
    #: None where Redis cannot be reached.
    waiting: int | None
    #: Workers that report.
    workers: int
    #: How long the oldest work that could start has waited.
    oldest: timedelta | None


@require_safe
def show_status(request: HttpRequest) -> HttpResponse:
    """Render the page, or for a poll only its live part."""
    if not request.user.has_perm(VIEW_STATUS):
        raise PermissionDenied
    found = cast("engine.Status", cache.get_or_set("redrive.status", engine.read, _STATUS_SECONDS))
    actor = get_actor(request)
    found = engine.narrow(found, actor=actor)
    # No version: it shows times, which always change.
    held = holds.list_lines(request)
    live = LiveFragment(reverse("admin:retry_status"), version="", active=True, seconds=3)
    context = {
        "live": live,
        "status": found,
        "tiles": _build_tiles(visible_counts(found.entries, actor=actor)),
        "queues": _build_queue_rows(found),
        "worker_rows": list_worker_rows(request, found.workers),
        "holds": list_holds(request),
        # Sizes tell how much there is of everything.
        "sizes": None if found.narrowed else get_sizes(),
        "retention": None if found.narrowed else get_retention(),
        "prunes": settings.REDRIVE_PRUNE,
        "problems": (*describe_status(found), *held.alarms),
        "chosen_holds": held.chosen,
    }
    if request.headers.get("HX-Request") == "true":
        return respond(request, live, "retry/status/live.html", context)
    everywhere = admin.site.each_context(request) | {
        "title": _("Status"),
        "alarms": (),
        "held_lines": (),
    }
    return TemplateResponse(request, "admin/retry/status.html", everywhere | context)


def list_tiles(request: HttpRequest) -> list[Tile]:
    actor = get_actor(request)
    if sees_nothing(actor):
        return []
    if sees_everything(actor):
        counted = cache.get_or_set("redrive.counts", engine.count_entries, _COUNTS_SECONDS)
        return _build_tiles(cast("StatusCounts", counted))
    return _build_tiles(_count_visible(actor))


def _count_visible(actor: Actor) -> StatusCounts | None:
    """Count what the actor sees, once for all who see the same."""
    none = StatusCounts(counts={})
    return cast(
        "StatusCounts | None",
        cache.get_or_set(
            f"redrive.counts.{find_scope(actor).key}",
            lambda: visible_counts(none, actor=actor),
            _COUNTS_SECONDS,
        ),
    )


def _build_tiles(counted: StatusCounts | None) -> list[Tile]:
    if counted is None:
        return []
    url = reverse("admin:entries_entry_changelist")
    return [
        Tile(status, count, status in counted.more, f"{url}?{urlencode({'status': status})}")
        for status, count in counted.counts.items()
    ]


def _build_queue_rows(found: engine.Status) -> list[QueueRow]:
    return [
        QueueRow(
            name,
            None if found.queues is None or found.narrowed else found.queues[name],
            len(found.find_workers(name)),
            found.waits.get(name),
        )
        for name in settings.REDRIVE_QUEUES
    ]
