"""How many entries stand behind each value of the filters: asked for once the list is shown."""

from collections.abc import Iterator
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from django.contrib.admin import ModelAdmin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from entries import lists
from entries.admin.entry_list import EntryList, SortFilter
from entries.admin.payload import PayloadFilter
from entries.admin.reports import keep_silent
from entries.filters import EntryFilter
from entries.models import Entry, EntryQuerySet
from retry.admin.shared.entry_list import parse_list_filter
from retry.admin.shared.selection import SelectionRefused

if TYPE_CHECKING:
    _ModelAdmin = ModelAdmin[Any]
else:
    _ModelAdmin = ModelAdmin

#: Values of a filter that are counted, the first.
MOST_VALUES = 30
#: No filter is begun after this.
SECONDS = 0.3
_COUNTS = "redrive.facets"
#: Filters by these alone have exact counts.
_COUNTED = frozenset({"status", "source", "all"})


class FilterList(EntryList):
    """A list for its filters alone: nothing is looked for."""

    def get_results(self, request: HttpRequest) -> None:
        self.result_list = []
        self.result_count = 0
        self.full_result_count = None
        self.show_admin_actions = self.can_show_all = self.multi_page = False


class FacetCounts(_ModelAdmin):
    """Adds the counts beside the values of filters to a list of entries."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_safe(self.facets_view))
        return [path("facets/", view, name="entries_entry_facets"), *super().get_urls()]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return FilterList if _COUNTS in request.META else super().get_changelist(request, **kwargs)

    def facets_view(self, request: HttpRequest) -> HttpResponse:
        """Answer with a count for each link of the filters: of the list that it leads to."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        request.META[_COUNTS] = True
        keep_silent(request)
        try:
            shown = cast("FilterList", self.get_changelist_instance(request))
        except IncorrectLookupParameters:
            return JsonResponse({})
        visible = Entry.objects.visible_to(request.user)
        return JsonResponse(dict(_count_links(shown, visible)))


def _count_links(shown: FilterList, visible: EntryQuerySet) -> Iterator[tuple[str, str]]:
    indexed = lists.is_indexed()
    known = lists.count_by_source(visible.scope)
    end = monotonic() + SECONDS
    for spec in shown.filter_specs:
        if isinstance(spec, SortFilter | PayloadFilter):
            continue
        links = [str(choice["query_string"]) for choice in spec.choices(shown)][:MOST_VALUES]
        found = {}
        for link, chosen in _parse(links):
            if chosen.data().keys() <= _COUNTED:
                yield link, intcomma(known.count(status=chosen.status, source=chosen.source))
            elif monotonic() <= end:
                found[link] = _find(chosen, visible, indexed=indexed)
        counts = lists.count_each(list(found.values()))
        for link, (count, more) in zip(found, counts or (), strict=False):
            yield link, f"{intcomma(count)}+" if more else intcomma(count)


def _parse(links: list[str]) -> Iterator[tuple[str, EntryFilter]]:
    """Yield what each link lists; lists that no filter can express are left out."""
    for link in links:
        with suppress(SelectionRefused):
            yield link, parse_list_filter(QueryDict(link.removeprefix("?")))


def _find(chosen: EntryFilter, visible: EntryQuerySet, *, indexed: bool) -> EntryQuerySet:
    narrowed = lists.narrow(visible, chosen, indexed=indexed)
    return lists.search(narrowed, chosen.q) if chosen.q else narrowed
