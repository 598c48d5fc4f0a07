"""Sources with what can be done to them: have a worker sync them now."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from entries.admin import SourceAdmin
from entries.models import Source
from retry import service
from retry.admin import hold_words
from retry.admin import messages as words
from retry.admin.acting import VerbsAdmin, actor_of
from retry.admin.hold import may_hold
from retry.admin.selection import SelectionRefused, reason_of, selection_of
from retry.errors import RetryError
from retry.holds.control import VIEW
from retry.models import Hold

admin.site.unregister(Source)


@admin.register(Source)
class SyncSourceAdmin(VerbsAdmin, SourceAdmin):
    actions = ("sync_selected",)

    def has_sync_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(service.SYNC)

    @admin.action(description="Sync selected now", permissions=["sync"])
    def sync_selected(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        selection = selection_of(request.POST)
        for source in queryset.filter(pk__in=selection.ids):
            if not self._request_sync(request, source, reason=selection.reason):
                return  # what stopped this one stops the others

    def get_urls(self) -> list[URLPattern]:
        sync = self.admin_site.admin_view(require_POST(self.sync_view))
        return [
            path("<path:object_id>/sync/", sync, name="entries_source_sync"),
            *super().get_urls(),
        ]

    def sync_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if not self.has_view_permission(request) or not self.has_sync_permission(request):
            raise PermissionDenied
        source = self.get_object(request, object_id)
        if source is None:
            raise Http404
        try:
            self._request_sync(request, source, reason=reason_of(request.POST))
        except SelectionRefused as refusal:
            messages.error(request, str(refusal))
        return self.back_to(request, source)

    def _request_sync(self, request: HttpRequest, source: Source, *, reason: str) -> bool:
        try:
            service.request_sync(source.slug, actor=actor_of(request), reason=reason)
        except RetryError as error:
            words.show(request, [words.of_refusal(error)])
            return False
        words.show(request, [words.of_sync(source.slug)])
        return True

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        source = kwargs.get("obj")
        if source is not None:
            context = context | {
                "may_sync": self.has_sync_permission(request),
                "sync_url": reverse("admin:entries_source_sync", args=[source.pk]),
                "on_hold": hold_words.of_source(source),
                "own_hold": Hold.objects.filter(source=source, lifted_at=None).first(),
                "may_hold": may_hold(request) and request.user.has_perm(VIEW),
            }
        return super().render_change_form(request, context, *args, **kwargs)
