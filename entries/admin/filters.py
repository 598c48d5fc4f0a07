"""The filters beside the lists. None of them asks the database for all distinct values."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from entries import names
from entries.budget import OutOfTime, time_budget
from entries.kinds import registry
from entries.models import Entry, Source
from entries.states import EntryStatus

#: How many of the newest rows are looked at for the values they have.
SAMPLE = 2_000
SAMPLE_SECONDS = 2.0
MOST_CHOICES = 100


def sampled(newest_first: QuerySet[Any], column: str) -> list[str]:
    """The values ``column`` has in the newest rows, the most frequent first; none where reading
    them takes too long.
    """
    try:
        with time_budget(SAMPLE_SECONDS):
            found = Counter(newest_first.values_list(column, flat=True)[:SAMPLE])
    except OutOfTime:
        return []
    return [value for value, _ in found.most_common(MOST_CHOICES) if value]


class EqualFilter(admin.SimpleListFilter):
    """``column`` equals what was chosen, or what a link asked for without it being offered."""

    column: ClassVar[str]
    #: There are no other values than those that are offered.
    closed: ClassVar[bool] = False

    def is_known(self, value: str) -> bool:
        """False for a value that can only be a mistake: the list says so then."""
        return not self.closed or value in dict(self.offered())

    def offered(self) -> Iterable[tuple[str, str]]:
        raise NotImplementedError

    def lookups(
        self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]"
    ) -> list[tuple[str, str]]:
        offered = list(self.offered())
        value = self.value()
        if value and value not in dict(offered):
            offered.append((value, value))
        return offered

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        if not self.is_known(value):
            self._say_unknown(request, value)
        if "\0" in value:  # no text in PostgreSQL has one, and asking for it is an error
            return queryset.none()
        return queryset.filter(**{self.column: value})

    def _say_unknown(self, request: HttpRequest, value: str) -> None:
        """Once for each page: an empty list would look as if all were well."""
        there_are = ", ".join(filter(None, dict(self.offered()))) or "none yet"
        shown = value.replace("\0", "")[:100]
        text = f"There is no {self.title} “{shown}”, so nothing is listed. There are: {there_are}."
        said: set[str] = request.META.setdefault("redrive.unknown", set())
        if text not in said:
            said.add(text)
            messages.error(request, text)


class StatusFilter(EqualFilter):
    title = "status"
    parameter_name = column = "status"
    closed = True

    def offered(self) -> Iterable[tuple[str, str]]:
        return [(status.value, status.value) for status in EntryStatus]


class KindFilter(EqualFilter):
    title = "kind"
    parameter_name = column = "kind"

    def is_known(self, value: str) -> bool:
        return names.is_kind(value)

    def offered(self) -> Iterable[tuple[str, str]]:
        return [(name, name) for name in registry.names()]


class SourceFilter(EqualFilter):
    title = "source"
    parameter_name = "source"
    column = "source__slug"

    def is_known(self, value: str) -> bool:
        return names.is_source(value)

    def offered(self) -> Iterable[tuple[str, str]]:
        yield from Source.objects.values_list("slug", "name")[:MOST_CHOICES]
        yield "", "without a source"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "":
            return queryset.filter(source=None)
        return super().queryset(request, queryset)


class FailureFilter(EqualFilter):
    """Offers what the newest failures have that the user may see."""

    def lookups(
        self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]"
    ) -> list[tuple[str, str]]:
        self._seen = Entry.objects.visible_to(request.user)
        return super().lookups(request, model_admin)

    def offered(self) -> Iterable[tuple[str, str]]:
        newest = self._seen.failed().order_by("-failed_at", "-id")
        return [(name, name) for name in sampled(newest, self.column)]


class UpstreamFilter(FailureFilter):
    title = "upstream"
    parameter_name = column = "upstream"


class ErrorClassFilter(FailureFilter):
    title = "error class"
    parameter_name = column = "error_class"


class GoneFilter(admin.SimpleListFilter):
    """Whether the entry's source still has it. Those that are gone have an index of their own."""

    title = "gone from its source"
    parameter_name = "gone"

    def lookups(
        self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]"
    ) -> list[tuple[str, str]]:
        return [("yes", "yes"), ("no", "no")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "yes":
                return queryset.filter(gone_at__isnull=False)
            case "no":
                return queryset.filter(gone_at=None)
            case _:
                return queryset
