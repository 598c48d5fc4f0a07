"""Export of a list of entries: what it shows on all its pages, as a file."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from import_export.admin import ExportMixin
from import_export.fields import Field
from import_export.resources import ModelResource

from entries.admin.listing import BoundedPaginator
from entries.models import Entry
from entries.text import clean_text
from retry import exports
from retry.admin import messages as words
from retry.admin.acting import actor_of
from retry.admin.criteria import of_list
from retry.admin.selection import SelectionRefused
from retry.admin.transfer.writing import FORMATS, ExportFile
from retry.errors import RetryError

#: Entries that are in memory at a time.
_CHUNK = 500


class EntryExport(ModelResource):
    """The columns. Values stay what they are; each format turns them into its cells."""

    source = Field(attribute="source__slug", column_name="source")

    class Meta:
        model = Entry
        fields = (
            "id",
            "external_id",
            "title",
            "kind",
            "source",
            "status",
            "attempt",
            "error_class",
            "error_message",
            "failed_at",
            "next_attempt_at",
            "created_at",
            "updated_at",
            "payload",
            "result",
        )

    def export_field(self, field: Field, instance: Entry, **kwargs: Any) -> Any:
        return field.get_value(instance)


class ExportsEntries(ExportMixin):
    """The library finds what the list shows; who may, how much and how it is written is ours."""

    import_export_change_list_template = "admin/entries/entry/change_list.html"
    resource_classes: ClassVar = [EntryExport]
    export_template = "admin/entries/entry/export.html"

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and request.user.has_perm(exports.EXPORT)

    def export_action(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_export_permission(request):
            raise PermissionDenied
        try:
            shown: QuerySet[Entry] = self.get_export_queryset(request)
        except IncorrectLookupParameters:
            return redirect(f"{reverse('admin:entries_entry_changelist')}?{ERROR_FLAG}=1")
        chosen = FORMATS.get(request.POST.get("format", ""))
        if request.method == "POST" and chosen is not None:
            try:
                return self._file(request, shown, chosen)
            except RetryError as error:
                words.show(request, [words.of_refusal(error)])
        return self._export_page(request, shown)

    def _file(
        self, request: HttpRequest, shown: QuerySet[Entry], chosen: ExportFile
    ) -> StreamingHttpResponse:
        ids = exports.begin_export(
            shown,
            file_format=chosen.extension,
            selection=_selection_words(request),
            actor=actor_of(request),
        )
        resource = EntryExport()
        pieces = chosen.pieces(resource.get_export_headers(), _rows(resource, ids))
        name = f"entries-{timezone.now():%Y-%m-%d-%H%M}.{chosen.extension}"
        return StreamingHttpResponse(
            pieces,
            content_type=chosen.content_type,
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _export_page(self, request: HttpRequest, shown: QuerySet[Entry]) -> HttpResponse:
        back = reverse("admin:entries_entry_changelist")
        query = request.GET.urlencode()
        context = self.admin_site.each_context(request) | {
            "title": "Export entries",
            "opts": self.opts,
            "count": BoundedPaginator(shown, 1),
            "selection_words": _selection_words(request),
            "columns": EntryExport().get_export_headers(),
            "formats": FORMATS.values(),
            "back_url": f"{back}?{query}" if query else back,
        }
        return TemplateResponse(request, self.export_template, context)


def _rows(resource: EntryExport, ids: Sequence[int]) -> Iterator[list[Any]]:
    """By id, in small portions: no cursor stays open for as long as somebody's download takes."""
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        found = Entry.objects.select_related("source").in_bulk(chunk)
        yield from (resource.export_resource(found[id_]) for id_ in chunk if id_ in found)


def _selection_words(request: HttpRequest) -> str:
    """What the list is narrowed to, in words; its address where no filter says the same."""
    try:
        return of_list(request.GET).words()
    except SelectionRefused:
        return clean_text(request.GET.urlencode(), limit=500)
