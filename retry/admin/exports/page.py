"""Export of a list of entries: what it shows on all its pages, as a file."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from entries.admin.listing import BoundedPaginator
from entries.models import Entry
from entries.text import clean_text
from retry import exports
from retry.access.permissions import EXPORT_ENTRY
from retry.admin.entries.criteria import of_list
from retry.admin.exports.formats import FORMATS, ExportFile
from retry.admin.shared import messages as words
from retry.admin.shared.acting import actor_of
from retry.admin.shared.selection import SelectionRefused
from retry.errors import RetryError

if TYPE_CHECKING:
    _ModelAdmin = ModelAdmin[Any]
else:
    _ModelAdmin = ModelAdmin

#: Entries that are in memory at a time.
_CHUNK = 500
#: Values stay what they are; each format turns them into its cells.
COLUMNS = (
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


class ExportsEntries(_ModelAdmin):
    """The list says what it shows; who may, how much and how it is written is said here."""

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and request.user.has_perm(EXPORT_ENTRY)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name="entries_entry_export"), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may = {"has_export_permission": self.has_export_permission(request)}
        return super().changelist_view(request, may | (extra_context or {}))

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_export_permission(request):
            raise PermissionDenied
        try:
            shown: QuerySet[Entry] = self.get_changelist_instance(request).get_queryset(request)
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
        name = f"entries-{timezone.now():%Y-%m-%d-%H%M}.{chosen.extension}"
        return StreamingHttpResponse(
            chosen.pieces(COLUMNS, _rows(ids)),
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
            "columns": COLUMNS,
            "formats": FORMATS.values(),
            "back_url": f"{back}?{query}" if query else back,
        }
        return TemplateResponse(request, "admin/entries/entry/export.html", context)


def _rows(ids: Sequence[int]) -> Iterator[list[Any]]:
    """By id, in small portions: no cursor stays open for as long as somebody's download takes."""
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        found = Entry.objects.select_related("source").in_bulk(chunk)
        yield from (_row(found[id_]) for id_ in chunk if id_ in found)


def _row(entry: Entry) -> list[Any]:
    source = entry.source.slug if entry.source is not None else None
    return [source if name == "source" else getattr(entry, name) for name in COLUMNS]


def _selection_words(request: HttpRequest) -> str:
    """What the list is narrowed to, in words; its address where no filter says the same."""
    try:
        return of_list(request.GET).words()
    except SelectionRefused:
        return clean_text(request.GET.urlencode(), limit=500)
