"""Filters of the lists. None of them asks the database for all distinct values."""

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet, TextChoices
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from entries import names
from entries.admin.filter_links import list_links
from entries.admin.reports import report_once
from entries.criteria import SourceSlug
from entries.kinds import registry
from entries.models import Entry, Source, find_sources
from entries.states import EntryStatus

#: Rows, the newest, that are searched for values to choose from.
SAMPLE = 2_000
MAX_CHOICES = 100


def sample_values(newest_first: QuerySet[Any], column: str) -> list[str]:
    """Return the values of ``column`` in the newest rows, the most frequent first."""
    found = Counter(newest_first.values_list(column, flat=True)[:SAMPLE])
    return [value for value, _ in found.most_common(MAX_CHOICES) if value]


class EqualFilter(admin.SimpleListFilter):
    """``column`` equals the chosen value, or a value from a link that is not among the choices."""

    column: ClassVar[str]
    #: There are no values but the choices.
    closed: ClassVar[bool] = False

    def is_known(self, value: str) -> bool:
        """Return False for a value that can only be a mistake; the list then says so."""
        return not self.closed or value in dict(self.list_choices())

    def list_choices(self) -> Iterable[tuple[str, str]]:
        """List values with their labels."""
        raise NotImplementedError

    def lookups(
        self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]"
    ) -> list[tuple[str, str]]:
        choices = list(self.list_choices())
        value = self.value()
        if value and value not in dict(choices):
            choices.append((value, value))
        return choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        if not self.is_known(value):
            self._report_unknown(request, value)
        if "\0" in value:  # PostgreSQL refuses to search for it
            return queryset.none()
        return queryset.filter(self.get_condition(value))

    def get_condition(self, value: str) -> Q:
        return Q(**{self.column: value})

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        name = str(self.parameter_name)
        return list_links(changelist, name, self.lookup_choices, chosen=self.value())

    def _report_unknown(self, request: HttpRequest, value: str) -> None:
        """Add a message, once per page: an empty list would look as if all were well."""
        choices = ", ".join(filter(None, dict(self.list_choices())))
        said = {"name": self.title, "value": value.replace("\0", "")[:100], "choices": choices}
        text = (
            gettext(
                "There is no %(name)s “%(value)s”, so nothing is listed. There are: %(choices)s."
            )
            if choices
            else gettext("There is no %(name)s “%(value)s”, so nothing is listed. There are none.")
        ) % said
        report_once(request, text)


class ChoiceFilter(EqualFilter):
    """One of the values of an enumeration."""

    closed = True
    enumeration: ClassVar[type[StrEnum] | type[TextChoices]]

    def list_choices(self) -> Iterable[tuple[str, str]]:
        return [(choice.value, self.get_label(choice)) for choice in self.enumeration]

    def get_label(self, choice: StrEnum | TextChoices) -> str:
        return gettext(str(choice.value).replace("_", " "))


class StatusFilter(ChoiceFilter):
    title = _("status")
    parameter_name = column = "status"
    enumeration = EntryStatus


class _ScopedFilter(EqualFilter):
    """Knows what the user may see."""

    def lookups(
        self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]"
    ) -> list[tuple[str, str]]:
        self._scope = find_sources(request.user)
        return super().lookups(request, model_admin)


class KindFilter(_ScopedFilter):
    title = _("kind")
    parameter_name = column = "kind"

    def is_known(self, value: str) -> bool:
        return names.is_kind(value, self._scope)

    def list_choices(self) -> Iterable[tuple[str, str]]:
        return [(name, name) for name in registry.names()]


class SourceFilter(_ScopedFilter):
    """Knows the sources that the user may see."""

    title = _("source")
    parameter_name = column = "source"

    def is_known(self, value: str) -> bool:
        return names.is_source(value, self._scope)

    def get_condition(self, value: str) -> Q:
        return SourceSlug(column=self.column, help="").condition(value)

    def list_choices(self) -> Iterable[tuple[str, str]]:
        known = Source.objects.filter(self._scope.condition("pk"))
        yield from known.values_list("slug", "name")[:MAX_CHOICES]


class OptionalSourceFilter(SourceFilter):
    """Also finds rows that have no source."""

    def list_choices(self) -> Iterable[tuple[str, str]]:
        yield from super().list_choices()
        yield "", gettext("without a source")

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "":
            return queryset.filter(source=None)
        return super().queryset(request, queryset)


class FailureFilter(EqualFilter):
    """Offers the values of the newest failures that the user may see."""

    def lookups(
        self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]"
    ) -> list[tuple[str, str]]:
        self._visible = Entry.objects.visible_to(request.user)
        return super().lookups(request, model_admin)

    def list_choices(self) -> Iterable[tuple[str, str]]:
        newest = self._visible.failed().order_by("-failed_at", "-id")
        return [(name, name) for name in sample_values(newest, self.column)]


class UpstreamFilter(FailureFilter):
    title = _("upstream")
    parameter_name = column = "upstream"


class ErrorClassFilter(FailureFilter):
    title = _("error class")
    parameter_name = column = "error_class"


class GoneFilter(admin.SimpleListFilter):
    """Whether the entry's source still has it. Entries that are gone have their own index."""

    title = _("gone from source")
    parameter_name = "gone"

    def lookups(
        self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]"
    ) -> list[tuple[str, str]]:
        return [("yes", gettext("yes")), ("no", gettext("no"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "yes":
                return queryset.filter(gone_at__isnull=False)
            case "no":
                return queryset.filter(gone_at=None)
            case _:
                return queryset
