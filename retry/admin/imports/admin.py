"""Imports: the history, and the page of one."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from entries.phrases import show
from retry import service
from retry.access.payloads import hide_changes
from retry.access.permissions import SUBMIT_ENTRY, VIEW_ENTRY
from retry.access.records import visible_imports
from retry.admin.imports import words
from retry.admin.intakes.admin import IntakeAdmin, IntakeStateFilter
from retry.admin.shared.actor import get_actor
from retry.admin.shared.refusals import show_refusals
from retry.errors import ImportNotFound
from retry.models import Import, SyncState


class ImportAdmin(IntakeAdmin[Import]):
    list_filter = (IntakeStateFilter,)
    search_fields = ("actor_label", "reason", "error", "file_name")
    search_help_text = _(
        "Searches who requested the import, the reason, the file name and the error."
    )
    ordering = ("-created_at",)
    change_form_template = "admin/retry/import/change_form.html"
    change_list_template = "admin/retry/import/change_list.html"
    blank_template = "retry/import/none.html"
    facts_template = "retry/import/facts.html"

    def has_view_permission(self, request: HttpRequest, obj: Import | None = None) -> bool:
        return request.user.has_perms((VIEW_ENTRY, SUBMIT_ENTRY))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Import]:
        visible = visible_imports(get_actor(request))
        # The sample is large, and no row of the list shows it.
        return visible.select_related("source").defer("sample").order_by(*self.ordering)

    @admin.display(description=_("import"))
    def what(self, row: Import) -> str:
        return words.get_title(row)

    def get_title(self, record: Import) -> str:
        return words.get_title(record)

    def get_counts(self, row: Import) -> Mapping[str, int]:
        return words.get_counts(row)

    def get_labels(self, row: Import) -> Mapping[str, Promise]:
        return words.IMPORTED

    def describe_found(self, row: Import) -> str:
        return words.describe_found(row)

    def describe_state(self, row: Import) -> Sequence[str]:
        return list(words.describe_state(row))

    def get_facts(self, row: Import) -> Sequence[tuple[str, int]]:
        facts = [] if row.total is None else [(gettext("Rows"), row.total)]
        return facts if row.finished else [*facts, (gettext("Rows read"), row.position)]

    def get_live_context(self, request: HttpRequest, record: Import) -> dict[str, Any]:
        context = super().get_live_context(request, record)
        sample = hide_changes(record.sample, actor=get_actor(request))
        words_queued = gettext("would be queued") if record.dry_run else gettext("queued")
        queued = ("queued", record.queued, words_queued)
        return (
            context
            | _get_confirmation_context(request, record)
            | {
                "figures": [queued, *context["figures"]],
                "notes": [show(note) for note in record.notes],
                "rows": [
                    shown
                    | {
                        "words": words.describe_row(shown, dry_run=record.dry_run),
                        "errors": [show(error) for error in shown.get("errors") or ()],
                    }
                    for shown in (sample if record.finished else ())
                ],
                "sample_template": "retry/import/rows.html",
            }
        )

    # --- what can be done ----------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        confirm = self.admin_site.admin_view(require_POST(self.confirm_view))
        return [
            path("<uuid:object_id>/confirm/", confirm, name="retry_import_confirm"),
            *super().get_urls(),
        ]

    def confirm_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Start the import and go to its page, or back to the dry run with the refusal."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        skip = "skip_invalid" in request.POST
        shown = object_id
        with show_refusals(request, missing=ImportNotFound):
            row = service.confirm_import(object_id, actor=get_actor(request), skip_invalid=skip)
            shown = row.pk
        return redirect("admin:retry_import_change", shown)


def _get_confirmation_context(request: HttpRequest, row: Import) -> dict[str, Any]:
    """Return the dry run, the import that confirms it, and whether it may be started now.

    Only who uploaded the file may confirm it, and may continue an import that failed.
    """
    preview = row if row.dry_run else row.confirms
    confirmation = Import.objects.filter(confirms=preview).first() if row.dry_run else row
    failed = confirmation is not None and confirmation.state == SyncState.FAILED
    valid = (row.total or 0) - row.invalid
    own = row.actor_id == request.user.pk and bool(row.location)
    startable = valid > 0 and (confirmation is None or failed) if row.dry_run else failed
    compared = row.dry_run and row.state == SyncState.SUCCEEDED
    return {
        "valid": valid,
        "preview": preview,
        "confirmation": confirmation,
        "may_confirm": own and startable,
        "confirm_template": "retry/import/confirm.html" if own and startable else None,
        "preview_template": "retry/import/preview.html" if compared else None,
    }
