"""Filters of the list of error groups."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib.admin import ModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from entries.admin.filters import FailureFilter, KindFilter
from retry.access.visibility import sees_everything, visible_entries
from retry.admin.shared.actor import get_actor
from retry.admin.shared.records import StateFilter
from retry.error_groups.overview import filter_by_state
from retry.models import ErrorGroup, GroupState

_MOST_UPSTREAMS = 20
#: Groups whose upstreams are offered.
_NEWEST_GROUPS = 100


class GroupStateFilter(StateFilter):
    enumeration = GroupState

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value not in GroupState.values:
            return super().queryset(request, queryset)
        return filter_by_state(queryset, value, actor=get_actor(request))


class _NameFilter:
    """The group names the value; for users from whom something is hidden, an entry they see has."""

    names: ClassVar[str]
    column: ClassVar[str]

    def narrow(self, request: HttpRequest, groups: QuerySet[Any], value: str) -> QuerySet[Any]:
        if "\0" in value:  # PostgreSQL refuses to search for it
            return groups.none()
        found = groups.filter(**{f"{self.names}__contains": [value]})
        actor = get_actor(request)
        if sees_everything(actor):
            return found
        visible = visible_entries(actor).failed().filter(**{self.column: value})
        return found.filter(fingerprint__in=visible.values("fingerprint"))


class GroupKindFilter(_NameFilter, KindFilter):
    names = "kinds"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        if not self.is_known(value):
            self._report_unknown(request, value)
        return self.narrow(request, queryset, value)


class GroupUpstreamFilter(_NameFilter, FailureFilter):
    title = _("upstream")
    parameter_name = column = "upstream"
    names = "upstreams"

    def lookups(
        self, request: HttpRequest, model_admin: "ModelAdmin[Any]"
    ) -> list[tuple[str, str]]:
        self._everything = sees_everything(get_actor(request))
        return super().lookups(request, model_admin)

    def list_choices(self) -> Iterable[tuple[str, str]]:
        """Offer those of the groups that failed last."""
        if not self._everything:
            return list(super().list_choices())[:_MOST_UPSTREAMS]
        groups = ErrorGroup.objects.order_by("-last_seen", "-id")[:_NEWEST_GROUPS]
        named = Counter(
            name for names in groups.values_list("upstreams", flat=True) for name in names
        )
        return [(name, name) for name, _count in named.most_common(_MOST_UPSTREAMS)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value is None else self.narrow(request, queryset, value)
