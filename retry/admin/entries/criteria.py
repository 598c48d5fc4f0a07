"""What a list of entries shows, as a filter; and an operation's wish, as an address and back.

A filter never says more or less than the list did: what it cannot say is refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

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
from django.utils.http import urlencode

from entries.filters import CRITERIA, EntryFilter
from entries.moments import InvalidMoment
from retry.admin.shared.selection import SelectionRefused
from retry.models import Action
from retry.operations.selection import Selection

#: Where somebody came from: the query string of the list of entries, kept on the way.
BACK = "back"
_LONGEST_BACK = 1_500
_NARROWS_NOTHING = frozenset({ALL_VAR, ERROR_FLAG, IS_FACETS_VAR, ORDER_VAR, PAGE_VAR})
_IN_LISTS = frozenset(name for name, criterion in CRITERIA.items() if criterion.listed)
_ASIDE = frozenset({"reason", BACK})
_NO_PREVIEW = "This address says nothing that an operation could be about; nothing was changed."


@dataclass(frozen=True, slots=True)
class Asked:
    action: Action
    selection: Selection

    @property
    def everything(self) -> bool:
        return self.selection.filter is not None and self.selection.filter.all


def of_list(shown: QueryDict) -> EntryFilter:
    """The filter that finds what the list of entries at that address shows, on all its pages.

    Raises ``SelectionRefused``.
    """
    given: dict[str, Any] = {}
    for name, values in shown.lists():
        if name == SEARCH_VAR and len(values) == 1:
            text = values[0].strip()
            if text:
                given["q"] = text
        elif name not in _NARROWS_NOTHING:
            given[name] = values[0] if len(values) == 1 and name in _IN_LISTS else ""
    for name, value in given.items():
        if not value or "\0" in value:
            raise SelectionRefused(_untranslatable(name, shown.getlist(name)))
        try:
            CRITERIA[name].parse(value)
        except ValueError:
            raise SelectionRefused(_untranslatable(name, [value])) from None
    return EntryFilter.from_data(given) if given else EntryFilter(all=True)


def back_of(query: QueryDict) -> str:
    """The query string of the list that an address keeps in mind; empty where there is none."""
    kept = query.get(BACK, "")
    return QueryDict(kept).urlencode() if len(kept) <= _LONGEST_BACK else ""


def list_url(back: str) -> str:
    """The list of entries as somebody left it."""
    url = reverse("admin:entries_entry_changelist")
    return f"{url}?{back}" if back else url


def preview_url(action: Action, selection: Selection, *, reason: str = "", back: str = "") -> str:
    """Of a selection by filter or of what failed in an operation. ``back``: as ``back_of``."""
    asked: dict[str, Any] = {"action": action.value}
    if selection.failed_of is not None:
        asked["failed_of"] = selection.failed_of
    elif selection.filter is not None:
        asked |= selection.filter.data()
    if asked.get("all"):
        asked["all"] = "true"
    if reason:
        asked["reason"] = reason
    if back:
        asked[BACK] = back
    return f"{reverse('admin:retry_operation_preview')}?{urlencode(asked)}"


def of_address(query: QueryDict) -> Asked:
    """What ``preview_url`` made, or a person typed. Raises ``SelectionRefused``."""
    given = {name: values for name, values in query.lists() if name not in _ASIDE}
    if any(len(values) != 1 or not values[0] or "\0" in values[0] for values in given.values()):
        raise SelectionRefused(_NO_PREVIEW)
    named = {name: values[0] for name, values in given.items()}
    try:
        action = Action(named.pop("action", Action.RETRY))
        return Asked(action, _selection(named))
    except InvalidMoment as error:
        raise SelectionRefused(f"A time in this address {error}; nothing was changed.") from error
    except (TypeError, ValueError) as error:
        raise SelectionRefused(_NO_PREVIEW) from error


def _selection(named: dict[str, str]) -> Selection:
    """Raises ``ValueError`` for what stands beside something that must stand alone."""
    if named.keys() == {"failed_of"}:
        return Selection(failed_of=UUID(named["failed_of"]))
    if named.keys() == {"all"} and named["all"] == "true":
        return Selection(filter=EntryFilter(all=True))
    if not named or named.keys() - CRITERIA.keys():
        raise ValueError("nothing, or something unknown")
    return Selection(filter=EntryFilter.from_data(named))


def _untranslatable(name: str, values: Iterable[str]) -> str:
    said = ", ".join(f"“{value or 'none'}”" for value in values)[:200]
    return (
        f"This list is narrowed by {name.replace('_', ' ')} {said} in a way that no operation "
        "can be, and none may do more than the list shows: nothing was changed. "
        "Choose other filters, or tick the entries."
    )
