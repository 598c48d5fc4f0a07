"""What the list of entries is filtered by: a chip for each, with the list without it."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR, SEARCH_VAR
from django.http import QueryDict
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, gettext_lazy

from entries import payload_match
from entries.budget import OutOfTime, time_budget
from entries.filters import CRITERIA
from entries.lists.windows import BUDGET_SECONDS
from entries.models import EntryQuerySet
from entries.moments import describe_span
from entries.payload_match import PREFIX
from entries.phrases import show
from entries.search_terms import SearchTerms

_LABELS = {
    "status": gettext_lazy("status"),
    "kind": gettext_lazy("kind"),
    "source": gettext_lazy("source"),
    "upstream": gettext_lazy("upstream"),
    "fingerprint": gettext_lazy("error group"),
    "error_class": gettext_lazy("error class"),
    "failed_within": gettext_lazy("failed in the last"),
    "failed_after": gettext_lazy("failed since"),
    "failed_before": gettext_lazy("failed before"),
    "received_within": gettext_lazy("received in the last"),
    "received_after": gettext_lazy("received since"),
    "received_before": gettext_lazy("received before"),
    "gone": gettext_lazy("gone from source"),
}


@dataclass(frozen=True, slots=True)
class Chip:
    """``url``: the query of the list without this one filter."""

    name: str
    value: str
    url: str


def list_chips(query: QueryDict, *, visible: EntryQuerySet) -> list[Chip]:
    """List the filters of an address in its order. ``visible``: of whom errors may be named."""
    query = query.copy()
    for name in (PAGE_VAR, ERROR_FLAG):
        query.pop(name, None)
    return list(_build_chips(query, visible))


def _build_chips(query: QueryDict, visible: EntryQuerySet) -> Iterator[Chip]:
    for name, values in query.lists():
        value = values[-1]
        if name == SEARCH_VAR:
            yield from _build_search_chips(query, value.strip())
        elif name.startswith(PREFIX):
            path = name.removeprefix(PREFIX)
            yield Chip(
                gettext("payload"), _describe_payload(path, value), _change(query, {name: ""})
            )
        elif name in _LABELS:
            shown = _find_error(value, visible) if name == "fingerprint" else ""
            label = str(_LABELS[name])
            yield Chip(label, shown or _describe(name, value), _change(query, {name: ""}))


def _build_search_chips(query: QueryDict, text: str) -> Iterator[Chip]:
    terms = SearchTerms.parse(text)
    for number, term in enumerate(terms.terms):
        name, value = term.label()
        yield Chip(name, value, _change(query, {SEARCH_VAR: str(terms.without(number))}))


def _change(query: QueryDict, changes: Mapping[str, str]) -> str:
    changed = query.copy()
    for name, value in changes.items():
        if value:
            changed[name] = value
        else:
            del changed[name]
    return f"?{changed.urlencode()}"


def _describe(name: str, value: str) -> str:
    try:
        if name in {"failed_within", "received_within"}:
            return show(describe_span(value))
        if name in {"failed_after", "failed_before", "received_after", "received_before"}:
            moment = timezone.localtime(CRITERIA[name].parse(value))
            return date_format(moment, "Y-m-d H:i")
    except (ValueError, OverflowError):
        return value
    if name == "status":
        return gettext(value)
    if name == "gone":
        return {"yes": gettext("yes"), "no": gettext("no")}.get(value, value)
    return value or gettext("none")


def _describe_payload(path: str, text: str) -> str:
    try:
        return payload_match.describe(path, payload_match.parse_text(text))
    except ValueError:
        return f"{path} = {text}"


def _find_error(fingerprint: str, visible: EntryQuerySet) -> str:
    """Name the group by its newest failure; empty where there is none that may be seen."""
    if "\0" in fingerprint:
        return ""
    newest = visible.failed().filter(fingerprint=fingerprint).order_by("-failed_at", "-id")
    with suppress(OutOfTime), time_budget(BUDGET_SECONDS):
        found = newest.values_list("error_class", "error_message").first()
        return " ".join(found) if found else ""
    return ""
