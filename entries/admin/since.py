"""The filters of the list of entries by when they failed and when they were received."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR, ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from entries.admin.reports import report_once
from entries.admin.zones import FIELD
from entries.filters import CRITERIA, EntryFilter
from entries.lists import filter_received
from entries.models import EntryQuerySet
from entries.moments import InvalidMoment, describe_span, parse_moment
from entries.phrases import show
from entries.states import EntryStatus
from entries.zones import find_zone

SPANS = ("15m", "1h", "24h", "7d")


class _TimeFilter(admin.ListFilter):
    """Usual spans up to now, and a range that people type in their time zone.

    ``within``, ``after``, ``before``: fields of the filter. ``begin``, ``end``: what the form calls
    the range.
    """

    template = "entries/entry/since_filter.html"
    within: ClassVar[str]
    after: ClassVar[str]
    before: ClassVar[str]
    begin: ClassVar[str]
    end: ClassVar[str]
    any_time: ClassVar[Any]
    invalid: ClassVar[Any]
    #: What the links and the form add.
    added: ClassVar[Mapping[str, str]] = {}

    def __init__(
        self, request: HttpRequest, params: dict[str, list[str]], model: Any, model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.given: Mapping[str, str] = {
            name: params.pop(name)[-1] for name in self.list_names() if name in params
        }
        left_out = {*self.list_names(), *self.list_typed(), FIELD, PAGE_VAR, ERROR_FLAG}
        #: What the form keeps of the address.
        self.kept = [
            (name, value)
            for name, values in request.GET.lists()
            if name not in left_out
            for value in values
        ]
        #: The fields of the form, and what stands in them.
        self.fields = {
            "begin": (self.begin, self._format_local(self.after)),
            "end": (self.end, self._format_local(self.before)),
        }

    @classmethod
    def list_names(cls) -> Sequence[str]:
        return cls.within, cls.after, cls.before

    @classmethod
    def list_typed(cls) -> Mapping[str, str]:
        """Return what the fields of the form become."""
        return {cls.begin: cls.after, cls.end: cls.before}

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        added = {name: value for name, value in self.added.items() if name not in changelist.params}
        without = changelist.get_query_string(remove=list(self.list_names()))
        yield {
            "display": self.any_time,
            "query_string": without,
            "selected": not self.given,
            "value": "",
        }
        for span in SPANS:
            query = changelist.get_query_string(
                {self.within: span} | added, [self.after, self.before]
            )
            yield {
                "display": gettext("Last %(span)s") % {"span": show(describe_span(span))},
                "query_string": query,
                "selected": self.given.get(self.within) == span,
                "value": span,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.given:
            return queryset
        try:
            chosen = EntryFilter.from_data(self.given)
            found = queryset.filter(chosen.condition())
            return filter_received(cast("EntryQuerySet", found), chosen)
        except ValueError as error:
            report_once(request, self.invalid % {"why": show(error)})
            return queryset.none()

    def _format_local(self, name: str) -> str:
        """As a field of the browser wants it; empty where nothing valid is given."""
        try:
            moment = timezone.localtime(CRITERIA[name].parse(self.given.get(name, "")))
        except (ValueError, OverflowError):
            return ""
        return f"{moment:%Y-%m-%dT%H:%M}"


class FailedFilter(_TimeFilter):
    """Links add ``status=failed``: only failed entries have an index by time."""

    title = gettext_lazy("time of failure")
    within, after, before = "failed_within", "failed_after", "failed_before"
    begin, end = "from", "to"
    any_time = gettext_lazy("Any time")
    invalid = gettext_lazy("The time of failure is not valid, so nothing is listed: %(why)s.")
    added: ClassVar[Mapping[str, str]] = {"status": EntryStatus.FAILED.value}


class ReceivedFilter(_TimeFilter):
    title = gettext_lazy("time of receipt")
    within, after, before = "received_within", "received_after", "received_before"
    begin, end = "received_from", "received_to"
    any_time = gettext_lazy("Any time")
    invalid = gettext_lazy("The time of receipt is not valid, so nothing is listed: %(why)s.")


FILTERS: tuple[type[_TimeFilter], ...] = (FailedFilter, ReceivedFilter)
NAMES = frozenset(name for each in FILTERS for name in each.list_names())
#: The fields in which people type a range.
TYPED = frozenset(name for each in FILTERS for name in each.list_typed())


def redirect_to_range(request: HttpRequest) -> HttpResponse:
    """Redirect to the list with the typed range as filters, or with a message on what is wrong."""
    query = request.GET.copy()
    query.pop(PAGE_VAR, None)
    zone = find_zone("".join(query.pop(FIELD, [])[-1:])) or timezone.get_current_timezone()
    for each in FILTERS:
        for typed, name in each.list_typed().items():
            text = "".join(query.pop(typed, [])[-1:]).strip()
            try:
                if text:
                    moment = parse_moment(text, zone=zone)
                    query[name] = moment.isoformat()
            except InvalidMoment:
                shown = text.replace("\0", "")[:100]
                messages.error(request, gettext("“%(time)s” is not a time.") % {"time": shown})
        if query.keys() & {each.after, each.before}:
            for name, value in each.added.items():
                query.setdefault(name, value)
    return HttpResponseRedirect(f"{request.path}?{query.urlencode()}")
