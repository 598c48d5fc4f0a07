"""The form that uploads a file of entries and starts its dry run."""

from typing import TYPE_CHECKING, Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from entries import upload_pass
from entries.errors import EntriesError
from entries.phrases import show
from retry import service
from retry.access.permissions import SUBMIT_ENTRY
from retry.access.visibility import visible_sources
from retry.admin.imports.forms import UploadForm
from retry.admin.shared.actor import get_actor
from retry.admin.shared.messages import add_messages, describe_refusal
from retry.errors import RetryError, SourceNotFound, UploadRefused
from retry.models import Import

if TYPE_CHECKING:
    _ModelAdmin = ModelAdmin[Any]
else:
    _ModelAdmin = ModelAdmin


class EntryImport(_ModelAdmin):
    """Adds the import to the list of entries."""

    def has_import_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and request.user.has_perm(SUBMIT_ENTRY)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.import_view)
        return [path("import/", view, name="entries_entry_import"), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"has_import_permission": self.has_import_permission(request)}
        return super().changelist_view(request, context | (extra_context or {}))

    def import_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_import_permission(request):
            raise PermissionDenied
        sources = visible_sources(get_actor(request))
        form = UploadForm(request.POST or None, request.FILES or None, sources=sources)
        if form.is_valid() and (row := self._request_import(request, form)):
            return redirect("admin:retry_import_change", row.pk)
        context = self.admin_site.each_context(request) | {
            "title": _("Import entries"),
            "opts": self.opts,
            "form": form,
            # The web server accepts a file of any size at this address only.
            "upload_url": upload_pass.add_pass(request.path, user_id=request.user.pk or 0),
        }
        return TemplateResponse(request, "admin/retry/entry/import.html", context)

    def _request_import(self, request: HttpRequest, form: UploadForm) -> Import | None:
        chosen = form.cleaned_data
        try:
            return service.request_import(
                chosen["import_file"],
                file_name=chosen["import_file"].name,
                kind=chosen["kind"] or None,
                source=chosen["source"].slug if chosen["source"] else None,
                actor=get_actor(request),
                reason=chosen["reason"],
            )
        except UploadRefused as error:
            form.add_error("import_file", show(error))
        except (EntriesError, SourceNotFound):
            text = _("Choose a kind, or a source that has a kind for its entries.")
            form.add_error("kind", text)
        except RetryError as error:
            add_messages(request, describe_refusal(error))
        return None
