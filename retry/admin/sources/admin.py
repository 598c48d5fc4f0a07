"""Sources with buttons: sync, dry run, and hold."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from entries.admin import SourceAdmin
from entries.models import Source
from retry import service
from retry.access.permissions import SYNC_SOURCE, VIEW_SYNC
from retry.access.visibility import visible_sources
from retry.admin.holds.admin import may_hold
from retry.admin.holds.words import explain_source, may_view
from retry.admin.shared.actor import get_actor
from retry.admin.shared.audited import AuditedAdmin
from retry.admin.shared.messages import add_messages
from retry.admin.shared.refusals import show_refusals
from retry.admin.shared.selection import parse_reason, parse_selection
from retry.admin.shared.verbs import VerbsAdmin
from retry.admin.syncs.admin import list_recent
from retry.admin.syncs.words import describe_request
from retry.models import Hold, Sync


class SyncSourceAdmin(AuditedAdmin, VerbsAdmin, SourceAdmin):
    actions = ("sync_selected",)
    change_form_template = "admin/retry/source/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Source]:
        return visible_sources(get_actor(request)).order_by("slug")

    def has_sync_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(SYNC_SOURCE)

    @admin.action(description=_("Sync selected now"), permissions=["sync"])
    def sync_selected(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        selection = parse_selection(request.POST)
        for source in queryset.filter(pk__in=selection.ids):
            self._request_sync(request, source, reason=selection.reason, dry_run=False)

    def get_urls(self) -> list[URLPattern]:
        def verb(word: str, name: str, *, dry_run: bool) -> URLPattern:
            view = require_POST(partial(self.sync_view, dry_run=dry_run))
            return path(f"<path:object_id>/{word}/", self.admin_site.admin_view(view), name=name)

        return [
            verb("sync", "entries_source_sync", dry_run=False),
            verb("dry-run", "entries_source_dry_run", dry_run=True),
            *super().get_urls(),
        ]

    def sync_view(self, request: HttpRequest, object_id: str, *, dry_run: bool) -> HttpResponse:
        """Request a sync and redirect to its page, or to the source for who may not see it."""
        if not self.has_view_permission(request) or not self.has_sync_permission(request):
            raise PermissionDenied
        source = self.get_object(request, object_id)
        if source is None:
            raise Http404
        sync = None
        with show_refusals(request):
            reason = parse_reason(request.POST)
            sync = self._request_sync(request, source, reason=reason, dry_run=dry_run)
        if sync is not None and request.user.has_perm(VIEW_SYNC):
            return redirect("admin:retry_sync_change", sync.pk)
        return self.redirect_to(request, source)

    def _request_sync(
        self, request: HttpRequest, source: Source, *, reason: str, dry_run: bool
    ) -> Sync | None:
        sync = None
        with show_refusals(request):
            sync = service.request_sync(
                source.slug, actor=get_actor(request), reason=reason, dry_run=dry_run
            )
            add_messages(request, *describe_request(sync, source.slug))
        return sync

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        source = kwargs.get("obj")
        if source is not None:
            context = context | {
                "may_sync": self.has_sync_permission(request) and source.enabled,
                "recent_syncs": list_recent(source) if request.user.has_perm(VIEW_SYNC) else None,
                "hold_words": explain_source(
                    source, with_reasons=may_view(request), actor=get_actor(request)
                ),
                "own_hold": Hold.objects.filter(source=source, lifted_at=None).first(),
                "may_hold": may_hold(request) and may_view(request),
            }
        return super().render_change_form(request, context, *args, **kwargs)
