"""The list of entries, read within a budget of time."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext, gettext_lazy

from entries import lists
from entries.admin.lists import BoundedList, BoundedPaginator
from entries.lists import ListPage, Order
from entries.models import EntryQuerySet
from entries.payload_match import PREFIX
from entries.permissions import VIEW_PAYLOAD
from entries.search_terms import SearchTerms


class FoundPaginator(BoundedPaginator):
    """The pages of what has been found already."""

    def __init__(self, listing: ListPage, per_page: int, *, total: int | None) -> None:
        super().__init__(listing.ids, per_page)
        self._listing = listing
        self.edge = listing.edge
        self.total = total

    @cached_property
    def count(self) -> int:
        return self._listing.count

    @property
    def more(self) -> bool:
        return self._listing.more


#: Filters whose columns no transition writes.
_INDEXED = frozenset({"source", "kind", "upstream"})


#: The parameter of the order, and its one value beside the usual order.
SORT, OLDEST = "sort", "oldest"


def choose_order(params: Mapping[str, Any]) -> Order:
    """Return the order of a list with these parameters: an index has it in either direction."""
    oldest = params.get(SORT) == OLDEST
    return lists.choose_order(params.get("status"), oldest_first=oldest)


class SortFilter(admin.ListFilter):
    """Leaves nothing out; it stands among the filters, as the order is kept with them."""

    title = gettext_lazy("order")
    template = "admin/filter.html"

    def __init__(
        self, request: HttpRequest, params: dict[str, list[str]], model: Any, model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.oldest = params.pop(SORT, [""])[-1] == OLDEST

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        yield {
            "display": gettext("Newest first"),
            "query_string": changelist.get_query_string(remove=[SORT]),
            "selected": not self.oldest,
        }
        yield {
            "display": gettext("Oldest first"),
            "query_string": changelist.get_query_string({SORT: OLDEST}),
            "selected": self.oldest,
        }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset


def _reads_payload(request: HttpRequest) -> bool:
    """Whether the address filters or searches by payloads: the list would tell what is in them."""
    if any(name.startswith(PREFIX) for name in request.GET):
        return True
    return SearchTerms.parse(request.GET.get(SEARCH_VAR, "")).reads_payload


class EntryList(BoundedList):
    #: Filtered, but not searched: a search has ways of its own to find entries.
    _filtered: EntryQuerySet
    #: Rows of the index, where they are all that is listed.
    _indexed: QuerySet[Any] | None = None

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[Any]:
        if _reads_payload(request) and not request.user.has_perm(VIEW_PAYLOAD):
            raise PermissionDenied
        text, self.query = self.query, ""
        try:
            filtered = cast("EntryQuerySet", super().get_queryset(request, exclude_parameters))
        finally:
            self.query = text
        indexed = {name: request.GET.get(name) for name in _INDEXED}
        self._filtered = lists.use_index(
            filtered,
            status=request.GET.get("status"),
            source=indexed["source"],
            kind=indexed["kind"],
            upstream=indexed["upstream"],
        )
        if self._is_filtered_by_index_alone() and lists.is_indexed():
            self._indexed = lists.find_rows(**indexed)
        found, _ = self.model_admin.get_search_results(request, self._filtered.as_rows(), text)
        return found

    def get_results(self, request: HttpRequest) -> None:
        per_page, number = self.list_per_page, self.page_num
        listing = self._find((number - 1) * per_page, per_page)
        can_show_all = listing.count <= self.list_max_show_all and not listing.more
        if self.show_all and can_show_all:
            listing = self._find(0, self.list_max_show_all)
        elif not listing.ids and number > 1:
            raise IncorrectLookupParameters
        self.result_list = lists.read_rows(listing.ids)
        self.result_count = listing.count
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = can_show_all
        self.multi_page = listing.count > per_page
        total = self._find_total() if listing.more else None
        self.paginator = FoundPaginator(listing, per_page, total=total)

    def _find_total(self) -> int | None:
        """Find how many are listed, where only their status and their source choose them."""
        if self.query.strip() or not self.params.keys() <= {"status", "source", SORT}:
            return None
        known = lists.count_by_source(cast("EntryQuerySet", self.root_queryset).scope)
        return known.count(status=self.params.get("status"), source=self.params.get("source"))

    def _is_filtered_by_index_alone(self) -> bool:
        return self.params.keys() <= _INDEXED | {SORT} and not self.root_queryset.query.where

    def _find(self, offset: int, limit: int) -> ListPage:
        return lists.find_page(
            self._filtered,
            visible=cast("EntryQuerySet", self.root_queryset),
            text=self.query.strip(),
            order=choose_order(self.params),
            offset=offset,
            limit=limit,
            indexed=self._indexed,
        )
