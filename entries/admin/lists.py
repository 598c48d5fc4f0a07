"""Lists that stay fast in tables of any size."""

from contextlib import suppress
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast
from urllib.parse import quote as quote_address

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.contrib.admin.utils import quote
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext

from entries.admin.display import NOTHING
from entries.budget import OutOfTime, time_budget
from entries.lists.windows import BUDGET_SECONDS

M = TypeVar("M", bound=Model)
#: Stands for an id in an address.
_ID = "id-of-a-row"

# Django's own classes are generic for type checkers only.
if TYPE_CHECKING:
    _Paginator = Paginator[Any]

    class _ModelAdmin(admin.ModelAdmin[M], Generic[M]): ...

else:
    _Paginator = Paginator

    class _ModelAdmin(admin.ModelAdmin, Generic[M]): ...


class BoundedPaginator(_Paginator):
    """Counts up to ``LIMIT`` and within a budget of time; filters and search find the rest."""

    LIMIT: ClassVar = 10_000
    #: The oldest row that was looked at, where there was no time to look at all.
    edge: int | None = None
    #: How many there are, where there are more than ``count`` and it is known.
    total: int | None = None

    @cached_property
    def _counted(self) -> int | None:
        """At most one more than ``LIMIT``; None where counting took too long."""
        # With an order the database would sort before it counts.
        found = cast("QuerySet[Any]", self.object_list)
        with suppress(OutOfTime), time_budget(BUDGET_SECONDS):
            return found.order_by()[: self.LIMIT + 1].count()
        return None

    @cached_property
    def count(self) -> int:
        return self.per_page if self._counted is None else min(self._counted, self.LIMIT)

    @property
    def more(self) -> bool:
        """Whether there are, or may be, more rows than ``count``."""
        return self._counted is None or self._counted > self.LIMIT


class BoundedList(ChangeList):
    """Django's list, without the work that it repeats for every row, sorted by indexes alone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Django would resolve the address of every row to add these.
        self._kept = f"?{self.preserved_filters}" if self.preserved_filters else ""
        self.preserved_filters = ""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Sort by ``sortable_by``, whatever the address says: other columns have no index."""
        chosen = str(self.params.pop(ORDER_VAR, "")).split(".")
        if allowed := [part for part in chosen if self._is_sortable(part)]:
            self.params[ORDER_VAR] = ".".join(allowed)
        return super().get_ordering(request, queryset)

    def _is_sortable(self, part: str) -> bool:
        """Tell for a column as Django writes it into addresses: its number, "-" before it."""
        number = part.removeprefix("-")
        if not number.isdecimal() or int(number) >= len(self.list_display):
            return False
        return self.list_display[int(number)] in (self.sortable_by or ())

    @cached_property
    def _address(self) -> tuple[str, str]:
        """What an address of a row has before and after the id."""
        url = reverse(admin_urlname(self.opts, SafeString("change")), args=[_ID])
        before, _, after = url.rpartition(_ID)
        return before, after

    def url_for_result(self, result: Model) -> str:
        """Return Django's address of a row, which it would look for in all patterns each time."""
        before, after = self._address
        pk = quote_address(quote(str(getattr(result, self.pk_attname))))
        return f"{before}{pk}{after}{self._kept}"


class ListAdmin(_ModelAdmin[M]):
    """A page of a list, sorted by what an index serves."""

    list_per_page = 50
    list_max_show_all = 1000
    sortable_by: ClassVar[tuple[str, ...]] = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BoundedList

    @admin.display(description=SafeString('<input type="checkbox" id="action-toggle">'))
    def action_checkbox(self, obj: M) -> SafeString:
        """Write Django's checkbox, for which it renders three templates."""
        label = gettext("Select this object for an action - {}").format(escape(str(obj)))
        return SafeString(
            f'<input type="checkbox" name="{ACTION_CHECKBOX_NAME}" value="{escape(str(obj.pk))}"'
            f' class="action-select" aria-label="{label}">'
        )


class BoundedAdmin(ListAdmin[M]):
    """No unbounded count, no sorting by any column, no filter that has no index behind it."""

    paginator = BoundedPaginator
    show_full_result_count = False
    empty_value_display = NOTHING
    show_facets = admin.ShowFacets.NEVER
    #: Shown instead of an empty list.
    blank_template: ClassVar[str | None] = None
    #: Columns that a link may filter by, beside those of ``list_filter``.
    link_parameters: ClassVar[frozenset[str]] = frozenset()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow only known filters: Django allows a regular expression on any column."""
        known = {getattr(item, "parameter_name", None) for item in self.list_filter}
        if lookup in self.link_parameters:
            return "\0" not in value  # PostgreSQL refuses to search for it
        return lookup in known

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {
            "title": capfirst(str(self.opts.verbose_name_plural)),
            "blank_template": self.blank_template,
        }
        return super().changelist_view(request, context | (extra_context or {}))


class ReadOnlyAdmin(BoundedAdmin[M]):
    """Read-only, for users with Django's ``view`` permission."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False
