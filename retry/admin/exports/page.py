"""Export of the list of entries: everything it shows on all its pages, as a file."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _

from entries.admin.lists import BoundedPaginator
from entries.masking import mask_address
from entries.models import Entry
from entries.phrases import show
from entries.search_terms import SearchTerms
from entries.text import clean_text
from retry import service
from retry.access.permissions import EXPORT_ENTRY, VIEW_PAYLOAD
from retry.admin.exports.formats import FORMATS, ExportFile
from retry.admin.shared.actor import get_actor
from retry.admin.shared.entry_list import get_list_url, parse_list_filter
from retry.admin.shared.messages import add_messages, describe_refusal
from retry.admin.shared.selection import SelectionRefused
from retry.errors import RetryError

if TYPE_CHECKING:
    _ModelAdmin = ModelAdmin[Any]
else:
    _ModelAdmin = ModelAdmin

#: Entries in memory at a time.
_CHUNK = 500
#: Each format turns the values into its own cells.
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
_PAYLOADS = frozenset({"payload", "result"})


class EntryExport(_ModelAdmin):
    """Adds the export to the list of entries."""

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and request.user.has_perm(EXPORT_ENTRY)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name="entries_entry_export"), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"has_export_permission": self.has_export_permission(request)}
        return super().changelist_view(request, context | (extra_context or {}))

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_export_permission(request):
            raise PermissionDenied
        try:
            shown: QuerySet[Entry] = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return redirect(get_list_url(f"{ERROR_FLAG}=1"))
        chosen = FORMATS.get(request.POST.get("format", ""))
        if request.method == "POST" and chosen is not None:
            try:
                return self._stream_file(request, shown, chosen)
            except RetryError as error:
                add_messages(request, describe_refusal(error))
        return self._render_page(request, shown)

    def _stream_file(
        self, request: HttpRequest, shown: QuerySet[Entry], chosen: ExportFile
    ) -> StreamingHttpResponse:
        ids = service.export_entries(
            shown,
            file_format=chosen.extension,
            selection=_describe_list(request),
            actor=get_actor(request),
        )
        name = f"entries-{timezone.now():%Y-%m-%d-%H%M}.{chosen.extension}"
        return StreamingHttpResponse(
            chosen.write(_list_columns(request), _read_rows(ids, _list_columns(request))),
            content_type=chosen.content_type,
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _render_page(self, request: HttpRequest, shown: QuerySet[Entry]) -> HttpResponse:
        context = self.admin_site.each_context(request) | {
            "title": _("Export entries"),
            "opts": self.opts,
            "count": BoundedPaginator(shown, 1),
            "selection_words": show(_describe_list(request)),
            "columns": _list_columns(request),
            "formats": FORMATS.values(),
            "back_url": get_list_url(request.GET.urlencode()),
        }
        return TemplateResponse(request, "admin/retry/entry/export.html", context)


def _list_columns(request: HttpRequest) -> Sequence[str]:
    """Leave out payloads, and results, which may repeat them, for who may not see payloads."""
    allowed = request.user.has_perm(VIEW_PAYLOAD)
    return [name for name in COLUMNS if allowed or name not in _PAYLOADS]


def _read_rows(ids: Sequence[int], columns: Sequence[str]) -> Iterator[list[Any]]:
    """Read rows in portions by id, so that no cursor stays open during a slow download."""
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        found = Entry.objects.select_related("source").in_bulk(chunk)
        yield from (_build_row(found[id_], columns) for id_ in chunk if id_ in found)


def _build_row(entry: Entry, columns: Sequence[str]) -> list[Any]:
    source = entry.source.slug if entry.source is not None else None
    return [source if name == "source" else getattr(entry, name) for name in columns]


def _describe_list(request: HttpRequest) -> str:
    """Describe the filters of the list; where no ``EntryFilter`` has them, return its query.

    Secrets are masked in both: not all who read the audit may see payloads.
    """
    try:
        return parse_list_filter(request.GET).words()
    except SelectionRefused:
        query = request.GET.copy()
        if SEARCH_VAR in query:
            query[SEARCH_VAR] = SearchTerms.parse(query.get(SEARCH_VAR, "")).mask()
        return clean_text(mask_address(f"?{query.urlencode()}")[1:], limit=500)
