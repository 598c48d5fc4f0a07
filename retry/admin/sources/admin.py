"""Sources with what can be done to them: have a worker sync them now, or say what that would do."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from entries.admin import SourceAdmin
from entries.models import Source
from retry.access.permissions import SYNC_SOURCE, VIEW_HOLD, VIEW_SYNC
from retry.admin.audit.audited import AuditedAdmin
from retry.admin.holds import words as hold_words
from retry.admin.holds.admin import may_hold
from retry.admin.shared import messages as words
from retry.admin.shared.acting import VerbsAdmin, actor_of
from retry.admin.shared.selection import SelectionRefused, reason_of, selection_of
from retry.admin.syncs.admin import recent_of
from retry.errors import RetryError
from retry.models import Hold, Sync
from retry.syncs import control

admin.site.unregister(Source)


@admin.register(Source)
class SyncSourceAdmin(AuditedAdmin, VerbsAdmin, SourceAdmin):
    actions = ("sync_selected",)

    def has_sync_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(SYNC_SOURCE)

    @admin.action(description="Sync selected now", permissions=["sync"])
    def sync_selected(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        selection = selection_of(request.POST)
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
        """To the page of the sync, for those who may see it."""
        if not self.has_view_permission(request) or not self.has_sync_permission(request):
            raise PermissionDenied
        source = self.get_object(request, object_id)
        if source is None:
            raise Http404
        sync = None
        try:
            reason = reason_of(request.POST)
            sync = self._request_sync(request, source, reason=reason, dry_run=dry_run)
        except SelectionRefused as refusal:
            messages.error(request, str(refusal))
        if sync is not None and request.user.has_perm(VIEW_SYNC):
            return redirect("admin:retry_sync_change", sync.pk)
        return self.back_to(request, source)

    def _request_sync(
        self, request: HttpRequest, source: Source, *, reason: str, dry_run: bool
    ) -> Sync | None:
        try:
            sync = control.request_sync(
                source.slug, actor=actor_of(request), reason=reason, dry_run=dry_run
            )
        except RetryError as error:
            words.show(request, [words.of_refusal(error)])
            return None
        words.show(request, words.of_sync(sync, source.slug))
        return sync

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        source = kwargs.get("obj")
        if source is not None:
            may_look = request.user.has_perm(VIEW_SYNC)
            context = context | {
                "may_sync": self.has_sync_permission(request) and source.enabled,
                "recent_syncs": recent_of(source) if may_look else None,
                "on_hold": hold_words.of_source(source, tells=hold_words.may_see(request)),
                "own_hold": Hold.objects.filter(source=source, lifted_at=None).first(),
                "may_hold": may_hold(request) and request.user.has_perm(VIEW_HOLD),
            }
        return super().render_change_form(request, context, *args, **kwargs)
