"""Imports: the history, and the page of one that keeps itself up to date."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from entries.admin import show
from entries.admin.listing import ReadOnlyAdmin
from retry.access.permissions import SUBMIT_ENTRY, VIEW_ENTRY
from retry.access.visibility import visible_imports
from retry.admin.audit.audited import AuditedAdmin
from retry.admin.imports import words
from retry.admin.shared import messages
from retry.admin.shared.acting import actor_of
from retry.admin.shared.bar import Bar
from retry.admin.syncs.admin import StateFilter
from retry.errors import ImportNotFound, NotPermitted, RetryError
from retry.imports import control
from retry.models import Import, SyncState


@admin.register(Import)
class ImportAdmin(AuditedAdmin, ReadOnlyAdmin[Import]):
    list_display = ("what", "state_shown", "outcome", "found", "asked_by", "reason", "took", "when")
    list_display_links = ("what",)
    list_filter = (StateFilter,)
    search_fields = ("actor_label", "reason", "error", "file_name")
    search_help_text = "Searches who asked, why, the file's name and the error."
    ordering = ("-created_at",)
    list_per_page = 50
    change_form_template = "admin/retry/import/change_form.html"

    # --- who may see what ----------------------------------------------------------------------

    def has_view_permission(self, request: HttpRequest, obj: Import | None = None) -> bool:
        return request.user.has_perms((VIEW_ENTRY, SUBMIT_ENTRY))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Import]:
        visible = visible_imports(actor_of(request))
        # The sample is large, and no row of the list shows it.
        return visible.select_related("source").defer("sample").order_by(*self.ordering)

    # --- the list ------------------------------------------------------------------------------

    @admin.display(description="import")
    def what(self, row: Import) -> str:
        return words.title_of(row)

    @admin.display(description="state")
    def state_shown(self, row: Import) -> SafeString:
        return show.badge(row.state)

    @admin.display(description="so far")
    def outcome(self, row: Import) -> SafeString:
        return render_to_string("retry/operation/bar.html", {"bar": bar_of(row)})

    @admin.display(description="found")
    def found(self, row: Import) -> SafeString | str:
        if row.error_code:
            return show.error_line(row.error_code, row.error)
        counts = counts_of(row)
        said = [f"{n:,} {words.IMPORTED[name]}" for name, n in counts.items() if n]
        return ", ".join(said) or show.NOTHING

    @admin.display(description="asked by")
    def asked_by(self, row: Import) -> str:
        return row.actor_label

    @admin.display(description="took")
    def took(self, row: Import) -> str:
        return show.duration(row.started_at, row.ended_at) or show.NOTHING

    @admin.display(description="when")
    def when(self, row: Import) -> SafeString | str:
        return show.moment(row.created_at)

    # --- the page of one -----------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Import | None = None) -> Any:
        """None: the page is drawn by its own templates."""
        return ()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = kwargs.get("obj")
        if row is not None:
            title = {"title": words.title_of(row), "subtitle": None}
            context = context | title | live_context(request, row)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        live = self.admin_site.admin_view(require_safe(self.live_view))
        confirm = self.admin_site.admin_view(require_POST(self.confirm_view))
        return [
            path("<uuid:object_id>/live/", live, name="retry_import_live"),
            path("<uuid:object_id>/confirm/", confirm, name="retry_import_confirm"),
            *super().get_urls(),
        ]

    def live_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """What changes while it runs; 204 while it is what the browser has ``seen``."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, str(object_id))
        if row is None:
            raise Http404
        context = live_context(request, row)
        seen = request.GET.get("seen", "")
        if seen == context["version"] and context["active"]:
            return HttpResponse(status=204)
        moved = {"moved": seen.partition(".")[0] != row.state}
        return TemplateResponse(request, "retry/import/changed.html", context | moved)

    def confirm_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """To the page of the import, or back to the dry run with what was refused."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        skip = "skip_invalid" in request.POST
        try:
            row = control.confirm_import(object_id, actor=actor_of(request), skip_invalid=skip)
        except NotPermitted as error:
            raise PermissionDenied from error
        except ImportNotFound as error:
            raise Http404 from error
        except RetryError as error:
            messages.show(request, [messages.of_refusal(error)])
            return redirect("admin:retry_import_change", object_id)
        return redirect("admin:retry_import_change", row.pk)


def counts_of(row: Import) -> dict[str, int]:
    return {name: int(getattr(row, name)) for name in words.IMPORTED}


def bar_of(row: Import) -> Bar:
    counts = counts_of(row)
    done = sum(counts.values())
    total = done if row.finished else max(row.total or done, done)
    return Bar.of(counts, total=total, named=words.IMPORTED)


def live_context(request: HttpRequest, row: Import) -> dict[str, Any]:
    counts = counts_of(row)
    version = ".".join(map(str, (row.state, row.position, row.queued, row.dispatches)))
    url = reverse("admin:retry_import_live", args=[row.pk])
    good = (row.total or 0) - row.invalid
    own = row.actor_id == request.user.pk
    preview = row if row.dry_run else row.confirms
    confirmation = Import.objects.filter(confirms=preview).first() if row.dry_run else row
    failed = confirmation is not None and confirmation.state == SyncState.FAILED
    may_confirm = (
        own and good > 0 and bool(row.location) and (confirmation is None or failed)
        if row.dry_run
        else own and failed and bool(row.location)
    )
    return {
        "original": row,
        "active": not row.finished,
        "version": version,
        "live_url": f"{url}?{urlencode({'seen': version})}",
        "bar": bar_of(row),
        "counts": counts,
        "good": good,
        "preview": preview,
        "confirmation": confirmation,
        "may_confirm": may_confirm,
        "outcome_lines": list(words.outcome_of(row)),
        "rows": [
            shown | {"words": words.fate_of(shown, dry_run=row.dry_run)}
            for shown in (row.sample if row.finished else ())
        ],
        "took": show.duration(row.started_at, row.ended_at or timezone.now()),
    }
