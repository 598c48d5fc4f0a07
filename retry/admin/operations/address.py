"""Addresses of operations: the preview of one, and the parts of its page."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from entries.filters import CRITERIA, EntryFilter
from entries.moments import InvalidMoment
from entries.phrases import show
from retry.admin.shared.entry_list import BACK
from retry.admin.shared.selection import SelectionRefused
from retry.models import Action, Operation
from retry.operations.selection import Selection

_NO_SELECTION = frozenset({"reason", BACK})
_NO_PREVIEW = gettext_noop("This address does not describe an operation. Nothing was changed.")


@dataclass(frozen=True, slots=True)
class Proposal:
    """An operation that could be started."""

    action: Action
    selection: Selection

    @property
    def everything(self) -> bool:
        return self.selection.filter is not None and self.selection.filter.all


def get_preview_url(
    action: Action, selection: Selection, *, reason: str = "", back: str = ""
) -> str:
    """Return the address for a selection by filter, or of what failed in an operation.

    ``back``: as ``get_back`` returns it.
    """
    query: dict[str, Any] = {"action": action.value}
    if selection.failed_of is not None:
        query["failed_of"] = selection.failed_of
    if selection.filter is not None:
        query |= selection.filter.parameters()
    if query.get("all"):
        query["all"] = "true"
    if reason:
        query["reason"] = reason
    if back:
        query[BACK] = back
    return f"{reverse('admin:retry_operation_preview')}?{urlencode(query)}"


def parse_proposal(query: QueryDict) -> Proposal:
    """Parse what ``get_preview_url`` made, or a person typed. Raises ``SelectionRefused``."""
    given = {name: values for name, values in query.lists() if name not in _NO_SELECTION}
    if any(len(values) != 1 or not values[0] or "\0" in values[0] for values in given.values()):
        raise SelectionRefused(_(_NO_PREVIEW))
    named = {name: values[0] for name, values in given.items()}
    try:
        action = Action(named.pop("action", Action.RETRY))
        return Proposal(action, _parse_selection(named))
    except InvalidMoment as error:
        text = _("A time in this address %(why)s. Nothing was changed.")
        raise SelectionRefused(text % {"why": show(error)}) from error
    except (TypeError, ValueError) as error:
        raise SelectionRefused(_(_NO_PREVIEW)) from error


def _parse_selection(named: dict[str, str]) -> Selection:
    """Raise ``ValueError`` where parameters exclude each other, or one is unknown."""
    if "failed_of" in named:
        operation_id = UUID(named.pop("failed_of"))
        narrowed = EntryFilter.from_data(named) if named else None
        return Selection(failed_of=operation_id, filter=narrowed)
    if "all" in named:
        if named.pop("all") != "true" or named.keys() - {"exclude_fingerprints"}:
            raise ValueError("everything and a filter")
        return Selection(filter=replace(EntryFilter.from_data(named), all=True))
    if not named:
        raise ValueError("nothing")
    return Selection(filter=EntryFilter.from_data(named))


def choose_groups(proposal: Proposal, query: QueryDict) -> Proposal:
    """Leave out the error groups that a form has shown (``group``) without a tick (``take``)."""
    shown, ticked = query.getlist("group"), set(query.getlist("take"))
    chosen = proposal.selection.filter or EntryFilter()
    before = [name for name in chosen.exclude_fingerprints or () if name not in shown]
    left_out = [*before, *(name for name in shown if name not in ticked)]
    if not shown:
        return proposal
    try:
        excluded = CRITERIA["exclude_fingerprints"].parse(left_out) if left_out else None
    except ValueError as error:
        raise SelectionRefused(_(_NO_PREVIEW)) from error
    narrowed = replace(chosen, exclude_fingerprints=excluded)
    empty = narrowed == EntryFilter() and proposal.selection.failed_of is not None
    selection = replace(proposal.selection, filter=None if empty else narrowed)
    return replace(proposal, selection=selection)


def get_part_url(request: HttpRequest, operation: Operation, part: str) -> str:
    """Return the address of a live part, for the page of entries that the browser shows."""
    shown = {name: request.GET.get(name, "") for name in ("outcome", "cursor")}
    query = urlencode({name: value for name, value in shown.items() if value})
    address = reverse(f"admin:retry_operation_{part}", args=[operation.pk])
    queries = "&".join(filter(None, (query, get_return_query(request))))
    return f"{address}?{queries}" if queries else address


def get_return_query(request: HttpRequest) -> str:
    """Return the lists of entries and operations that the page was reached from, as a query."""
    lists = {name: request.GET.get(name, "") for name in (BACK, "_changelist_filters")}
    return urlencode({name: value for name, value in lists.items() if value})
