"""Syncs: the history, and the page of one that keeps itself up to date."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from entries.admin import show
from entries.admin.filters import MOST_CHOICES, EqualFilter
from entries.admin.listing import ReadOnlyAdmin
from entries.models import Source
from entries.names import is_source
from retry.access.permissions import SYNC_SOURCE, VIEW_SOURCE
from retry.access.visibility import sees_source
from retry.admin.audit.audited import AuditedAdmin
from retry.admin.shared import messages as words
from retry.admin.shared.acting import actor_of
from retry.admin.shared.bar import Bar
from retry.models import Sync, SyncState


class StateFilter(EqualFilter):
    title = "state"
    parameter_name = column = "state"
    closed = True

    def offered(self) -> list[tuple[str, str]]:
        return [(state.value, state.value) for state in SyncState]


class OfSourceFilter(EqualFilter):
    title = "source"
    parameter_name = "source"
    column = "source__slug"

    def is_known(self, value: str) -> bool:
        return is_source(value)

    def offered(self) -> Iterable[tuple[str, str]]:
        yield from Source.objects.values_list("slug", "name")[:MOST_CHOICES]


@admin.register(Sync)
class SyncAdmin(AuditedAdmin, ReadOnlyAdmin[Sync]):
    list_display = ("what", "state_shown", "outcome", "found", "asked_by", "why", "took", "when")
    list_display_links = ("what",)
    list_filter = (StateFilter, OfSourceFilter)
    search_fields = ("actor_label", "reason", "error")
    search_help_text = "Searches who asked, why, and the error."
    ordering = ("-id",)
    list_per_page = 50
    change_form_template = "admin/retry/sync/change_form.html"

    # --- the list ------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Sync]:
        return super().get_queryset(request).select_related("source")

    @admin.display(description="sync")
    def what(self, sync: Sync) -> SafeString:
        return format_html('<span class="number">#{}</span> {}', sync.pk, show.name(title_of(sync)))

    @admin.display(description="state")
    def state_shown(self, sync: Sync) -> SafeString:
        return show.badge(sync.state)

    @admin.display(description="so far")
    def outcome(self, sync: Sync) -> SafeString:
        return render_to_string("retry/operation/bar.html", {"bar": bar_of(sync)})

    @admin.display(description="found")
    def found(self, sync: Sync) -> SafeString | str:
        if sync.error_code:
            return show.error_line(sync.error_code, sync.error)
        return said_of(sync)

    @admin.display(description="asked by")
    def asked_by(self, sync: Sync) -> str:
        return sync.actor_label

    @admin.display(description="took")
    def took(self, sync: Sync) -> str:
        return show.duration(sync.started_at, sync.ended_at) or show.NOTHING

    @admin.display(description="reason")
    def why(self, sync: Sync) -> SafeString | str:
        return show.name(sync.reason) if sync.reason else show.NOTHING

    @admin.display(description="when")
    def when(self, sync: Sync) -> SafeString | str:
        return show.moment(sync.created_at)

    # --- the page of one -----------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Sync | None = None) -> Any:
        """None: the page is drawn by its own templates."""
        return ()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        sync = kwargs.get("obj")
        if sync is not None:
            title = {"title": title_of(sync), "subtitle": None}
            context = context | title | live_context(request, sync) | verbs_context(request, sync)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        live = self.admin_site.admin_view(require_safe(self.live_view))
        return [
            path("<int:object_id>/live/", live, name="retry_sync_live"),
            *super().get_urls(),
        ]

    def live_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """What changes while it runs; 204 while it is what the browser has ``seen``."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        sync = self.get_object(request, str(object_id))
        if sync is None:
            raise Http404
        context = live_context(request, sync)
        seen = request.GET.get("seen", "")
        if seen == context["version"] and context["active"]:
            return HttpResponse(status=204)
        if seen.partition(".")[0] != sync.state:
            context |= verbs_context(request, sync) | {"moved": True}
        return TemplateResponse(request, "retry/sync/changed.html", context)


def title_of(sync: Sync) -> str:
    return f"{'Dry run' if sync.dry_run else 'Sync'} of {sync.source}"


def bar_of(sync: Sync) -> Bar:
    """Of what the source has; what is gone is not part of that."""
    counts = {name: n for name, n in counts_of(sync).items() if name != "gone"}
    done = sum(counts.values())
    total = done if sync.finished else max(sync.total or done, done)
    return Bar.of(counts, total=total, named=words.SYNCED)


def counts_of(sync: Sync) -> dict[str, int]:
    return {name: int(getattr(sync, name)) for name in words.SYNCED}


def said_of(sync: Sync) -> str:
    """``3 new, 1 gone``"""
    if sync.not_modified:
        return "not modified"
    named = words.WOULD if sync.dry_run else words.SYNCED
    said = [f"{count:,} {named[name]}" for name, count in counts_of(sync).items() if count]
    return ", ".join(said) or show.NOTHING


def live_context(request: HttpRequest, sync: Sync) -> dict[str, Any]:
    counts = counts_of(sync)
    version = ".".join(map(str, (sync.state, *counts.values(), sync.queued, sync.dispatches)))
    url = reverse("admin:retry_sync_live", args=[sync.pk])
    named = words.WOULD if sync.dry_run else words.SYNCED
    return {
        "original": sync,
        # What notes and samples tell is about any entry of the source.
        "tells": sees_source(sync.source_id, actor=actor_of(request)),
        "active": not sync.finished,
        "version": version,
        "live_url": f"{url}?{urlencode({'seen': version})}",
        "bar": bar_of(sync),
        "figures": [(name, count, named[name]) for name, count in counts.items()],
        "took": show.duration(sync.started_at, sync.ended_at or timezone.now()),
    }


def verbs_context(request: HttpRequest, sync: Sync) -> dict[str, Any]:
    """What the one who looks may do next."""
    may = request.user.has_perms((SYNC_SOURCE, VIEW_SOURCE))
    return {"may_sync": may and sync.finished and sync.source.enabled}


def recent_of(source: Source, *, limit: int = 5) -> list[tuple[Sync, str]]:
    """The last few, each with what it found."""
    return [(sync, said_of(sync)) for sync in source.syncs.order_by("-pk")[:limit]]
