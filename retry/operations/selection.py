"""The selection of an operation: counted within a time budget, then frozen into runs."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Count, ExpressionWrapper, F, Q, Value

from entries import lists, names
from entries.budget import OutOfTime, time_budget
from entries.filters import EntryFilter
from entries.lists import Order
from entries.models import Entry, EntryQuerySet
from entries.states import find_allowed_statuses
from retry.access.permissions import VIEW_PAYLOAD
from retry.access.visibility import find_sources, visible_entries
from retry.errors import EmptySelection, NoSuchKind, NoSuchSource, NothingEligible, TooManyEntries
from retry.models import Action
from retry.operations.earlier import find_failed_ids, find_repaired_ids
from retry.operations.sight import find_operation
from retry.outcomes import Actor
from retry.reasons import Reason, reason_for
from retry.selection_words import describe

#: Ids in one request; larger selections are filters.
MAX_IDS = 10_000
#: An exact count that takes longer is given up for one that stops at ``lists.MOST``.
COUNT_SECONDS = 0.08
#: For a selection that a person made by hand, and to refuse one that has nothing to act on.
CHECK_SECONDS = 2.0
_SAMPLE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """One of four: ids, a filter, what failed in an earlier operation, which a filter may narrow,
    or what an operation repaired.
    """

    ids: tuple[int, ...] = ()
    filter: EntryFilter | None = None
    failed_of: UUID | None = None
    repaired_by: UUID | None = None

    @property
    def earlier(self) -> UUID | None:
        return self.failed_of or self.repaired_by

    def check(self, *, actor: Actor) -> None:
        """Raises ``EmptySelection`` where nothing narrows it, ``TooManyEntries``, ``NoSuchSource``
        and ``NoSuchKind``, ``OperationNotFound`` where the earlier one is hidden from the actor,
        and ``NotPermitted`` for a filter by payloads that the actor may not see.
        """
        if len(self.ids) > MAX_IDS:
            raise TooManyEntries(limit=MAX_IDS, given=len(self.ids))
        if self.earlier is None and not self.ids and not (self.filter and self.filter.explicit):
            raise EmptySelection
        if self.earlier is not None and not find_sources(actor).everything:
            find_operation(self.earlier, actor=actor)
        if self.filter is not None:
            check_filter(self.filter, actor=actor)

    def data(self) -> dict[str, Any]:
        if self.failed_of is not None:
            narrowed = {"filter": self.filter.data()} if self.filter else {}
            return {"failed_of": str(self.failed_of), **narrowed}
        if self.repaired_by is not None:
            return {"repaired_by": str(self.repaired_by)}
        if self.filter is not None:
            return {"filter": self.filter.data()}
        return {"ids": len(self.ids)}

    def mask(self) -> dict[str, Any]:
        """Return ``data`` for the audit: not all who read it may see payloads."""
        return self.data() | ({"filter": self.filter.mask()} if self.filter else {})

    def identity(self) -> dict[str, Any]:
        """Return ``data`` with every id, sorted: equal for selections that mean the same."""
        return {"ids": sorted(set(self.ids))} if self.ids else self.data()

    def words(self) -> str:
        return describe(
            filter=self.filter,
            failed_of=self.failed_of,
            repaired_by=self.repaired_by,
            count=len(self.ids),
        )

    def entries(self, *, actor: Actor) -> EntryQuerySet:
        """Return the selected entries that the actor may see. Raises ``NotPermitted``."""
        _require_payload(self.filter, actor=actor)
        visible = visible_entries(actor)
        if self.failed_of is not None:
            failed = visible.filter(pk__in=find_failed_ids(self.failed_of))
            return failed.filter(self.filter.condition(failed.scope)) if self.filter else failed
        if self.repaired_by is not None:
            return visible.filter(pk__in=find_repaired_ids(self.repaired_by))
        if self.filter is not None:
            return visible.filter(self.filter.condition(visible.scope))
        return visible.filter(pk__in=self.ids)

    def narrow(self, *, actor: Actor) -> EntryQuerySet:
        """Return what its filter selects without the search, as lists find it.

        Raises ``NotPermitted``, as ``entries`` does.
        """
        _require_payload(self.filter, actor=actor)
        visible = visible_entries(actor)
        return visible if self.filter is None else lists.narrow(visible, self.filter)

    def find(self, *, actor: Actor) -> EntryQuerySet:
        """Return the same as ``entries``, found by the indexes that lists have."""
        if self.filter is None or self.failed_of is not None:
            return self.entries(actor=actor)
        found = self.narrow(actor=actor)
        return lists.search(found, self.filter.q) if self.filter.q else found

    @property
    def listed(self) -> bool:
        """Whether a list of entries shows the same, with what lists have to find it soon."""
        return self.filter is not None and self.failed_of is None

    @property
    def order(self) -> Order:
        return lists.choose_order(self.filter.status if self.filter else None)


def _require_payload(chosen: EntryFilter | None, *, actor: Actor) -> None:
    if chosen is not None and chosen.reads_payload:
        actor.require(VIEW_PAYLOAD)


def mask_selection(data: Mapping[str, Any]) -> dict[str, Any]:
    """Do the same as ``Selection.mask`` with ``data`` as it was stored."""
    chosen = data.get("filter")
    return {**data, "filter": EntryFilter.from_data(chosen).mask()} if chosen else dict(data)


def check_filter(chosen: EntryFilter, *, actor: Actor) -> None:
    """Raises ``NoSuchSource`` and ``NoSuchKind``: a misspelt name is not an empty selection; and
    ``NotPermitted`` for payloads, of which a filter would tell whether they match.
    """
    _require_payload(chosen, actor=actor)
    scope = find_sources(actor)
    if chosen.source is not None and not names.is_source(chosen.source, scope):
        raise NoSuchSource(chosen.source, known=names.list_sources(scope))
    if chosen.kind is not None and not names.is_kind(chosen.kind, scope):
        raise NoSuchKind(chosen.kind, known=names.list_kinds())


@dataclass(frozen=True, slots=True)
class Preview:
    """The numbers before anything happens. ``exact`` is False where counting ran out of time: at
    least ``total`` are selected, which may be all, and ``eligible`` is None. ``sample``: a few of
    the entries to act on.
    """

    total: int
    eligible: int | None
    skipped: Mapping[Reason, int] = field(default_factory=dict)
    exact: bool = True
    sample: Sequence[Entry] = ()


def preview(selection: Selection, *, action: Action, actor: Actor) -> Preview:
    """Count the entries to act on and those to skip, by reason, in less than half a second."""
    selection.check(actor=actor)
    found = selection.find(actor=actor)
    seconds = COUNT_SECONDS if selection.listed else CHECK_SECONDS
    counted = _count(found, selection, action, seconds=seconds)
    sample = _find_sample(selection, action, actor=actor)
    if counted is not None:
        return replace(counted, sample=sample)
    total = _count_some(selection, actor=actor)
    return Preview(max(total, len(sample)), None, exact=False, sample=sample)


def _count_some(selection: Selection, *, actor: Actor) -> int:
    """Count as far as a list would, which is at most what there is."""
    text = selection.filter.q if selection.filter else None
    found = selection.narrow(actor=actor)
    visible = visible_entries(actor)
    if not selection.listed or not text:
        return lists.count(found, visible=visible)[0] if selection.listed else 0
    with suppress(OutOfTime):
        return lists.find_page(
            found, visible=visible, text=text, order=selection.order, offset=0, limit=_SAMPLE
        ).count
    return 0


def _count(
    found: EntryQuerySet, selection: Selection, action: Action, *, seconds: float
) -> Preview | None:
    """Count exactly; None where that takes too long."""
    # What is known or does not matter is left out: then an index may be all that is read.
    known = selection.filter.status if selection.filter else None
    status = Value(str(known)) if known else F("status")
    sourceless: Value | ExpressionWrapper[Q] = Value(value=False)
    if action == Action.RESYNC:
        sourceless = ExpressionWrapper(Q(source=None), output_field=BooleanField())
    groups = found.order_by().annotate(s=status, without=sourceless).values_list("s", "without")
    with suppress(OutOfTime), time_budget(seconds):
        return _summarise(list(groups.annotate(Count("id"))), selection, action)
    return None


def _find_sample(selection: Selection, action: Action, *, actor: Actor) -> list[Entry]:
    """Find a few of the entries to act on, the newest where a filter selects them."""
    if selection.filter is None or not selection.listed:
        with suppress(OutOfTime), time_budget(CHECK_SECONDS):
            shown = keep_eligible(selection.entries(actor=actor), action).as_rows()
            return list(shown.order_by("id")[:_SAMPLE])
        return []
    with suppress(OutOfTime):
        listing = lists.find_page(
            keep_eligible(selection.narrow(actor=actor), action),
            visible=visible_entries(actor),
            text=selection.filter.q or "",
            order=selection.order,
            offset=0,
            limit=_SAMPLE,
        )
        return lists.read_rows(listing.ids)
    return []


def require_eligible(selection: Selection, *, action: Action, actor: Actor) -> None:
    """Raises ``NothingEligible`` where the action would skip the whole selection.

    A selection that is too large to count passes.
    """
    selection.check(actor=actor)
    entries = selection.find(actor=actor)
    found = _count(entries, selection, action, seconds=CHECK_SECONDS)
    if found is not None and not found.eligible:
        raise NothingEligible(action=action.value, skipped=found.skipped)


def keep_eligible(found: EntryQuerySet, action: Action) -> EntryQuerySet:
    """Return those of ``found`` that the action takes: the rule of ``reason_for``, as a query."""
    fitting = found.filter(status__in=find_allowed_statuses(action.value))
    return fitting.exclude(source=None) if action == Action.RESYNC else fitting


def _summarise(
    rows: Sequence[tuple[str, bool, int]],
    selection: Selection,
    action: Action,
) -> Preview:
    skipped: dict[Reason, int] = {}
    eligible = 0
    for status, sourceless, count in rows:
        if not count:
            continue  # PostgreSQL counts no entries of the status that was known
        reason = reason_for(status, verb=action.value, has_source=not sourceless)
        if reason is None:
            eligible += count
        else:
            skipped[reason] = skipped.get(reason, 0) + count
    total = sum(count for *_, count in rows)
    missing = len(set(selection.ids)) - total if selection.ids else 0
    if missing:
        skipped[Reason.NOT_FOUND] = missing
    return Preview(total + missing, eligible, skipped)
