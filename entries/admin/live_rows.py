"""Rows of the list of entries that keep themselves up to date until they are at rest."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast

from django.contrib.admin import ModelAdmin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from entries import lists
from entries.admin.entry_list import EntryList
from entries.admin.live import LiveFragment
from entries.models import Entry
from entries.states import ACTIVE

if TYPE_CHECKING:
    _ModelAdmin = ModelAdmin[Any]
else:
    _ModelAdmin = ModelAdmin

#: More are not asked for at a time.
MOST = 100
#: The query of the list, which the rows link back to.
BACK = "_changelist_filters"
_MOST_BACK = 1_500
#: The key in ``request.META`` of the rows that a list of this request shows instead of its own.
_WANTED = "redrive.rows"
#: No column holds an id with more.
_DIGITS = 18


class RowList(EntryList):
    """The rows of wanted entries, whatever their status is by now."""

    formset = None

    def get_results(self, request: HttpRequest) -> None:
        self.result_list = request.META[_WANTED]
        self.result_count = len(self.result_list)
        self.full_result_count = None
        self.show_admin_actions = self.can_show_all = self.multi_page = False

    def keep(self, back: str) -> None:
        """Make the rows link back to the list with that query."""
        self._kept = f"?{urlencode({BACK: back})}" if back else ""


class LiveRows(_ModelAdmin):
    """Adds to a list of entries the address of rows, and what asks for it."""

    rows_template = "entries/entry/live_rows.html"

    def get_urls(self) -> list[URLPattern]:
        rows = self.admin_site.admin_view(require_safe(self.rows_view))
        return [path("rows/", rows, name="entries_entry_rows"), *super().get_urls()]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return RowList if _WANTED in request.META else EntryList

    def get_list_filter(self, request: HttpRequest) -> Any:
        return () if _WANTED in request.META else super().get_list_filter(request)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        answer = super().changelist_view(request, extra_context)
        context: dict[str, Any] = getattr(answer, "context_data", None) or {}
        if "cl" in context:
            shown = context["cl"].result_list
            context["rows_live"] = _follow_rows(shown, back=request.GET.urlencode())
        return answer

    def rows_view(self, request: HttpRequest) -> HttpResponse:
        """Answer with the rows that an address asks for, as the list shows them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        back = request.GET.get(BACK, "")
        visible = Entry.objects.visible_to(request.user).filter(pk__in=_parse_ids(request))
        entries = lists.read_rows(list(visible.order_by("-pk").values_list("pk", flat=True)))
        live = _follow_rows(entries, back=back)
        if live.is_current(request):
            return HttpResponse(status=204)
        request.META[_WANTED] = entries
        request.GET = QueryDict()
        shown = cast("RowList", self.get_changelist_instance(request))
        shown.keep(back)
        context = {"cl": shown, "opts": self.opts, "rows_live": live, "fresh": True}
        return TemplateResponse(request, self.rows_template, context)


def _parse_ids(request: HttpRequest) -> Sequence[int]:
    """Read the ids of an address; what is none is left out."""
    texts = request.GET.get("ids", "").split(".")[:MOST]
    return [int(t) for t in texts if t.isascii() and t.isdigit() and len(t) <= _DIGITS]


def _follow_rows(entries: Iterable[Entry], *, back: str) -> LiveFragment:
    """Return what asks again for those of these rows that are not at rest."""
    busy = [entry for entry in entries if entry.status in ACTIVE][:MOST]
    query = {"ids": ".".join(str(entry.pk) for entry in busy)}
    if back and len(back) <= _MOST_BACK:
        query[BACK] = back
    return LiveFragment(
        url=f"{reverse('admin:entries_entry_rows')}?{urlencode(query)}",
        version=_describe_version(busy),
        active=bool(busy),
        seconds=2,
    )


def _describe_version(entries: Iterable[Entry]) -> str:
    shown = " ".join(f"{entry.pk} {entry.status} {entry.attempt}" for entry in entries)
    return sha256(shown.encode()).hexdigest()[:16]
