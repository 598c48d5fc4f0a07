"""Lists that stay fast however long their table gets."""

from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.text import capfirst

from entries.admin.show import NOTHING

M = TypeVar("M", bound=Model)

# Django's own classes are generic for type checkers only.
if TYPE_CHECKING:
    _Paginator = Paginator[Any]

    class _ModelAdmin(admin.ModelAdmin[M], Generic[M]): ...

else:
    _Paginator = Paginator

    class _ModelAdmin(admin.ModelAdmin, Generic[M]): ...


class BoundedPaginator(_Paginator):
    """Counts as far as ``LIMIT``; what lies behind is found by filter and search."""

    LIMIT: ClassVar = 10_000

    @cached_property
    def _counted(self) -> int:
        # The order would make the database sort what it is only to count.
        found = cast("QuerySet[Any]", self.object_list)
        return found.order_by()[: self.LIMIT + 1].count()

    @cached_property
    def count(self) -> int:
        return min(self._counted, self.LIMIT)

    @property
    def more(self) -> bool:
        """There is more than ``count`` says."""
        return self._counted > self.LIMIT


class BoundedAdmin(_ModelAdmin[M]):
    """No unbounded count, no sorting by whatever column, no filter that nobody thought of."""

    paginator = BoundedPaginator
    show_full_result_count = False
    empty_value_display = NOTHING
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 100
    list_max_show_all = 1000
    sortable_by: ClassVar = ()
    #: Columns that a link may filter by, beside what ``list_filter`` offers.
    link_parameters: ClassVar[frozenset[str]] = frozenset()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Django allows any lookup on any column, a regular expression over millions included."""
        offered = {getattr(item, "parameter_name", None) for item in self.list_filter}
        if lookup in self.link_parameters:
            return "\0" not in value  # no text in PostgreSQL has one, and asking for it is an error
        return lookup in offered

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = capfirst(str(self.opts.verbose_name_plural))
        return super().changelist_view(request, {"title": title} | (extra_context or {}))


class ReadOnlyAdmin(BoundedAdmin[M]):
    """To look at, for whoever has Django's ``view`` permission."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False
