"""The list of entries, as other pages refer to it: what it shows, and how to get back to it."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin.options import IS_FACETS_VAR
from django.contrib.admin.views.main import (
    ALL_VAR,
    ERROR_FLAG,
    ORDER_VAR,
    PAGE_VAR,
    SEARCH_VAR,
)
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from entries.admin.entry_list import SORT
from entries.filters import CRITERIA, EntryFilter
from entries.masking import mask_values
from entries.payload_match import PREFIX
from entries.phrases import show
from retry.admin.shared.selection import SelectionRefused

#: The parameter in which other pages keep the query string of the list.
BACK = "back"
_MAX_BACK = 1_500
_NARROWS_NOTHING = frozenset({ALL_VAR, ERROR_FLAG, IS_FACETS_VAR, ORDER_VAR, PAGE_VAR, SORT})
#: Filters of the list that an operation supports as well.
LIST_FILTERS = frozenset(name for name, criterion in CRITERIA.items() if criterion.listed)


def get_back(query: QueryDict) -> str:
    """Return the query string of the list that an address keeps; empty where it keeps none."""
    kept = query.get(BACK, "")
    return QueryDict(kept).urlencode() if len(kept) <= _MAX_BACK else ""


def get_list_url(back: str = "") -> str:
    """Return the address of the list; ``back``: its query string."""
    url = reverse("admin:entries_entry_changelist")
    return f"{url}?{back}" if back else url


def parse_list_filter(shown: QueryDict) -> EntryFilter:
    """Return the filter that finds exactly what the list at that address shows on all its pages.

    Raises ``SelectionRefused`` for a list that no filter can express.
    """
    given: dict[str, Any] = {}
    for name, values in shown.lists():
        if name == SEARCH_VAR and len(values) == 1:
            text = values[0].strip()
            if text:
                given["q"] = text
        elif name not in _NARROWS_NOTHING:
            given[name] = values[0] if len(values) == 1 and _is_filter(name) else ""
    for name, value in given.items():
        if not value or "\0" in value:
            raise SelectionRefused(_describe_unsupported(name, shown.getlist(name)))
        try:
            EntryFilter.from_data({name: value})
        except ValueError:
            raise SelectionRefused(_describe_unsupported(name, [value])) from None
    try:
        return EntryFilter.from_data(given) if given else EntryFilter(all=True)
    except ValueError as error:
        text = _("The filters of the payload: %(why)s. Nothing was changed.")
        raise SelectionRefused(text % {"why": show(error)}) from None


def _is_filter(name: str) -> bool:
    return name in LIST_FILTERS or name.startswith(PREFIX)


def _describe_unsupported(name: str, values: Iterable[str]) -> str:
    masked = (mask_values({name: value})[name] for value in values)
    shown = ", ".join(_("“%(value)s”") % {"value": value or _("none")} for value in masked)[:200]
    text = _(
        "Operations do not support this filter: %(name)s %(values)s. Nothing was changed. Choose "
        "other filters, or tick the entries."
    )
    return text % {"name": " ".join(name.replace("_", " ").split()), "values": shown}
