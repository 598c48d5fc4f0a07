"""The filter of the list of entries by what is in their payloads."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR, ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from entries import payload_match
from entries.admin.reports import report_once
from entries.filters import EntryFilter
from entries.payload_match import PREFIX
from entries.permissions import VIEW_PAYLOAD
from entries.phrases import show

#: The field in which people type one, such as ``customer=17``.
TYPED = "payload"


class PayloadFilter(admin.ListFilter):
    """A parameter for each path, such as ``payload.customer=17``; all must hold."""

    title = _("payload")
    template = "entries/entry/payload_filter.html"

    def __init__(
        self,
        request: HttpRequest,
        params: dict[str, list[str]],
        model: Any,
        model_admin: Any,
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self._allowed = request.user.has_perm(VIEW_PAYLOAD)
        names = [name for name in params if name.startswith(PREFIX)]
        self.given: Mapping[str, Sequence[str]] = {name: params.pop(name) for name in names}
        #: What the form keeps of the address.
        self.kept = [
            (name, value)
            for name, values in request.GET.lists()
            if name not in {TYPED, PAGE_VAR, ERROR_FLAG}
            for value in values
        ]

    def has_output(self) -> bool:
        return self._allowed

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Yield each that is active, with the address of the list without it."""
        for name, texts in self.given.items():
            without = changelist.get_query_string({name: None})
            yield {"display": _describe(name, texts), "query_string": without, "selected": True}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.given:
            return queryset
        try:
            return queryset.filter(_parse(self.given).condition())
        except ValueError as error:
            words = gettext(
                "The filter of the payload is not valid, so nothing is listed: %(why)s."
            )
            text = words % {"why": show(error)}
            report_once(request, text)
            return queryset.none()


def redirect_to_filter(request: HttpRequest) -> HttpResponse:
    """Redirect to the list with the typed text as a filter, or with a message on what is wrong."""
    query = request.GET.copy()
    query.pop(PAGE_VAR, None)
    for typed in query.pop(TYPED):
        try:
            if typed.strip():
                path, values = payload_match.parse_pair(typed)
                query[f"{PREFIX}{path}"] = payload_match.format_text(values)
        except ValueError as error:
            shown = typed.replace("\0", "")[:100]
            words = gettext("The filter “%(filter)s” is not valid: %(why)s.")
            messages.error(request, words % {"filter": shown, "why": show(error)})
    return HttpResponseRedirect(f"{request.path}?{query.urlencode()}")


def _parse(given: Mapping[str, Sequence[str]]) -> EntryFilter:
    """Raises ``ValueError``, also for a path that is there twice."""
    twice = [name.removeprefix(PREFIX) for name, texts in given.items() if len(texts) > 1]
    if twice:
        raise ValueError(f"{twice[0]} is given more than once")
    return EntryFilter.from_data({name: texts[0] for name, texts in given.items()})


def _describe(name: str, texts: Sequence[str]) -> str:
    path = name.removeprefix(PREFIX)
    try:
        return payload_match.describe(path, payload_match.parse_text(texts[0]))
    except ValueError:
        return f"{path} = {', '.join(texts)}"
