"""Import of entries from a file: a dry run that shows what would change, and its confirmation."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST
from import_export.admin import ImportMixin
from import_export.formats.base_formats import Format
from import_export.results import Result

from entries.errors import EntriesError
from retry import service
from retry.admin import messages as words
from retry.admin.acting import actor_of
from retry.admin.transfer.forms import ConfirmForm, UploadForm
from retry.admin.transfer.reading import FORMATS, ImportRefused, Table
from retry.admin.transfer.resource import SHOWN, EntryImport
from retry.admin.transfer.storage import ImportStorage
from retry.errors import RetryError

_PAGE = "admin:entries_entry_import"


class ImportsEntries(ImportMixin):
    """The library's two steps; every row is stored by ``service.submit`` and by nothing else."""

    import_export_change_list_template = "admin/entries/entry/change_list.html"
    import_template_name = "admin/entries/entry/import.html"
    import_form_class = UploadForm
    tmp_storage_class = ImportStorage
    #: The audit says who did it; Django's log of single objects would take a row for each.
    skip_admin_log = True

    def has_import_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and request.user.has_perm(service.SUBMIT)

    def get_import_formats(self) -> list[type[Format]]:
        return list(FORMATS)

    def get_import_resource_classes(self, request: HttpRequest) -> list[type[EntryImport]]:
        return [EntryImport]

    def get_import_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        form = kwargs["form"]
        chosen = getattr(form, "cleaned_data", {})
        source = chosen.get("source")
        return {
            "kind": chosen.get("kind", ""),
            "source": getattr(source, "slug", source) or None,
            "actor": actor_of(request),
            "reason": chosen.get("reason", ""),
        }

    # --- the first step: a file, and what would become of it --------------------------------------

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        response: TemplateResponse = super().import_action(request, **kwargs)
        context = response.context_data
        if context is None:
            return response
        context |= {"title": "Import entries", "shown_rows": SHOWN}
        if "confirm_form" not in context:
            self._forget(context["form"])
        if result := context.get("result"):
            try:
                _raise_what_broke(result)
            except (EntriesError, RetryError) as error:
                words.show(request, [words.of_refusal(error)])
                del context["result"]
        return response

    def _forget(self, form: UploadForm) -> None:
        """A file that cannot be confirmed need not wait for it."""
        upload = getattr(form, "cleaned_data", {}).get("import_file") or form.files.get(
            "import_file"
        )
        if name := getattr(upload, "tmp_storage_name", None):
            ImportStorage(name=name).remove()

    def add_data_read_fail_error_to_form(self, form: UploadForm, error: Exception) -> None:
        if not isinstance(error, ImportRefused):
            raise error
        form.add_error("import_file", str(error))

    def create_confirm_form(
        self, request: HttpRequest, import_form: UploadForm | None = None
    ) -> ConfirmForm:
        if import_form is None:
            return ConfirmForm(request.POST, user_id=request.user.pk)
        form = ConfirmForm(user_id=request.user.pk)
        chosen = import_form.cleaned_data
        form.initial = {
            "import_file_name": form.sign(chosen["import_file"].tmp_storage_name),
            "original_file_name": chosen["import_file"].name[:500],
            "format": chosen["format"],
            "source": chosen["source"].slug if chosen["source"] else "",
            "kind": chosen["kind"],
            "reason": chosen["reason"],
        }
        return form

    # --- the second step: so be it ----------------------------------------------------------------

    @method_decorator(require_POST)
    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if not self.has_import_permission(request):
            raise PermissionDenied
        if not self.create_confirm_form(request).is_valid():
            messages.error(request, "This was not the form of your preview; nothing was imported.")
            return redirect(_PAGE)
        try:
            response: HttpResponse = super().process_import(request, **kwargs)
        except ImportRefused as refusal:
            messages.error(request, str(refusal))
            return redirect(_PAGE)
        return response

    def process_dataset(
        self, dataset: Table, form: ConfirmForm, request: HttpRequest, **kwargs: Any
    ) -> EntryImport:
        resource = EntryImport(**self.get_import_resource_kwargs(request, form=form))
        try:
            _raise_what_broke(resource.import_data(dataset, dry_run=False))
        except (EntriesError, RetryError) as error:
            raise ImportRefused(words.of_refusal(error).text) from error
        if resource.counts["error"]:
            raise ImportRefused("The entries have changed since the preview; nothing was imported.")
        return resource

    def process_result(self, result: EntryImport, request: HttpRequest) -> HttpResponse:
        words.show(request, words.of_submission(result.outcomes))
        return redirect("admin:entries_entry_changelist")


def _raise_what_broke(result: Result) -> None:
    """What is wrong with rows has been noted; the rest is a refusal, or a mistake of ours that the
    library has caught."""
    broken = [*result.base_errors, *(e for row in result.error_rows for e in row.errors)]
    if broken:
        raise broken[0].error
