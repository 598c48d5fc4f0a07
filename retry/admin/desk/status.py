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
from retry import status as engine
from retry.access.permissions import VIEW_STATUS
from retry.access.visibility import visible_counts
from retry.admin.desk.alarms import describe_status
from retry.admin.desk.engine import get_retention, get_sizes, list_holds, list_worker_rows
from retry.admin.holds import words as holds
from retry.admin.shared.actor import get_actor

#: Several people may watch.
_STATUS_SECONDS = 1


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
        "tiles": list_tiles(request),
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
    """Count the entries that the user sees, by status; nothing where they see none."""
    url = reverse("admin:entries_entry_changelist")
    return [
        Tile(status, count, f"{url}?{urlencode({'status': status})}")
        for status, count in (visible_counts(get_actor(request)) or {}).items()
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
