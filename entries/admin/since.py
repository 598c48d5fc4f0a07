"""The filter of the list of entries by when they failed: usual spans, and a range."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR, ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from entries.admin.zones import FIELD
from entries.filters import CRITERIA, EntryFilter
from entries.moments import InvalidMoment, describe_span, parse_moment
from entries.phrases import show
from entries.states import EntryStatus
from entries.zones import find_zone

WITHIN, AFTER, BEFORE = "failed_within", "failed_after", "failed_before"
#: The fields in which people type a range, in their time zone, and what they become.
TYPED: Mapping[str, str] = {"from": AFTER, "to": BEFORE}
SPANS = ("15m", "1h", "24h", "7d")


class SinceFilter(admin.ListFilter):
    """Links add ``status=failed``: only failed entries have an index by time."""

    title = gettext_lazy("time of failure")
    template = "entries/entry/since_filter.html"
    names = (WITHIN, AFTER, BEFORE)

    def __init__(
        self, request: HttpRequest, params: dict[str, list[str]], model: Any, model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.given: Mapping[str, str] = {
            name: params.pop(name)[-1] for name in self.names if name in params
        }
        left_out = {*self.names, *TYPED, FIELD, PAGE_VAR, ERROR_FLAG}
        #: What the form keeps of the address.
        self.kept = [
            (name, value)
            for name, values in request.GET.lists()
            if name not in left_out
            for value in values
        ]
        self.typed = {name: self._format_local(key) for name, key in TYPED.items()}

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        status = {} if "status" in changelist.params else {"status": EntryStatus.FAILED.value}
        without = changelist.get_query_string(remove=list(self.names))
        yield {
            "display": gettext("Any time"),
            "query_string": without,
            "selected": not self.given,
            "value": "",
        }
        for span in SPANS:
            query = changelist.get_query_string({WITHIN: span} | status, [AFTER, BEFORE])
            yield {
                "display": gettext("Last %(span)s") % {"span": show(describe_span(span))},
                "query_string": query,
                "selected": self.given.get(WITHIN) == span,
                "value": span,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.given:
            return queryset
        try:
            return queryset.filter(EntryFilter.from_data(self.given).condition())
        except ValueError as error:
            text = gettext("The time of failure is not valid, so nothing is listed: %(why)s.")
            text %= {"why": show(error)}
            reported: set[str] = request.META.setdefault("redrive.unknown", set())
            if text not in reported:
                reported.add(text)
                messages.error(request, text)
            return queryset.none()

    def _format_local(self, name: str) -> str:
        """As a field of the browser wants it; empty where nothing valid is given."""
        try:
            moment = timezone.localtime(CRITERIA[name].parse(self.given.get(name, "")))
        except (ValueError, OverflowError):
            return ""
        return f"{moment:%Y-%m-%dT%H:%M}"


def redirect_to_range(request: HttpRequest) -> HttpResponse:
    """Redirect to the list with the typed range as filters, or with a message on what is wrong."""
    query = request.GET.copy()
    query.pop(PAGE_VAR, None)
    zone = find_zone("".join(query.pop(FIELD, [])[-1:])) or timezone.get_current_timezone()
    for typed, name in TYPED.items():
        text = "".join(query.pop(typed, [])[-1:]).strip()
        try:
            if text:
                moment = parse_moment(text, zone=zone)
                query[name] = moment.isoformat()
        except InvalidMoment:
            shown = text.replace("\0", "")[:100]
            messages.error(request, gettext("“%(time)s” is not a time.") % {"time": shown})
    if query.keys() & {AFTER, BEFORE}:
        query.setdefault("status", EntryStatus.FAILED.value)
    return HttpResponseRedirect(f"{request.path}?{query.urlencode()}")
