"""The selection of an operation: counted within a time budget, then frozen into runs."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS
from django.db.models import BooleanField, Count, ExpressionWrapper, Q, QuerySet
from django.db.models.expressions import RawSQL

from entries import names
from entries.budget import OutOfTime, time_budget
from entries.filters import EntryFilter
from entries.models import Entry, EntryQuerySet
from entries.states import find_allowed_statuses
from retry.access.visibility import visible_entries
from retry.errors import EmptySelection, NoSuchKind, NoSuchSource, NothingEligible, TooManyEntries
from retry.limits import allow_statement
from retry.models import Action, Operation
from retry.operations.sizes import choose_sizes
from retry.outcomes import Actor
from retry.reasons import Reason, reason_for
from retry.runs import plan

#: Ids in one request; larger selections are filters.
MAX_IDS = 10_000
COUNT_SECONDS = 2.0
#: Ten million entries take most of it.
FREEZE_SECONDS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """One of three: ids, a filter, or what failed in an earlier operation."""

    ids: tuple[int, ...] = ()
    filter: EntryFilter | None = None
    failed_of: UUID | None = None

    def check(self) -> None:
        """Raises ``EmptySelection`` where nothing narrows it, ``TooManyEntries``, ``NoSuchSource``
        and ``NoSuchKind``.
        """
        if len(self.ids) > MAX_IDS:
            raise TooManyEntries(limit=MAX_IDS, given=len(self.ids))
        if self.failed_of is None and not self.ids and not (self.filter and self.filter.explicit):
            raise EmptySelection
        if self.filter is not None:
            check_names(self.filter)

    def data(self) -> dict[str, Any]:
        if self.failed_of is not None:
            return {"failed_of": str(self.failed_of)}
        if self.filter is not None:
            return {"filter": self.filter.data()}
        return {"ids": len(self.ids)}

    def identity(self) -> dict[str, Any]:
        """Return ``data`` with every id, sorted: equal for selections that mean the same."""
        return {"ids": sorted(set(self.ids))} if self.ids else self.data()

    def words(self) -> str:
        if self.failed_of is not None:
            return f"what failed in operation {self.failed_of}"
        if self.filter is not None:
            return self.filter.words()
        return f"{len(self.ids):,} selected entries"

    def entries(self, *, actor: Actor) -> EntryQuerySet:
        """Return the selected entries that the actor may see."""
        visible = visible_entries(actor)
        if self.failed_of is not None:
            return visible.filter(pk__in=_find_failed_ids(self.failed_of))
        if self.filter is not None:
            return visible.filter(self.filter.condition())
        return visible.filter(pk__in=self.ids)


def check_names(chosen: EntryFilter) -> None:
    """Raises ``NoSuchSource`` and ``NoSuchKind``: a misspelt name is not an empty selection."""
    if chosen.source is not None and not names.is_source(chosen.source):
        raise NoSuchSource(chosen.source, known=names.list_sources())
    if chosen.kind is not None and not names.is_kind(chosen.kind):
        raise NoSuchKind(chosen.kind, known=names.list_kinds())


def _find_failed_ids(operation_id: UUID) -> RawSQL:
    """Select the ids whose attempt in that operation failed, as a subquery."""
    return RawSQL(
        "SELECT a.entry_id FROM retry_run r"
        " CROSS JOIN unnest(r.entry_ids) AS u (id)"
        " JOIN entries_attempt a ON a.entry_id = u.id AND a.run_id = r.id"
        " WHERE r.operation_id = %s AND r.failed + r.scheduled > 0 AND a.status = 'failed'",
        [operation_id],
    )


@dataclass(frozen=True, slots=True)
class Preview:
    """The numbers before anything happens. ``exact`` is False where counting ran out of time;
    ``total`` is then a lower bound. ``sample``: a few of the entries to act on.
    """

    total: int
    eligible: int
    skipped: Mapping[Reason, int] = field(default_factory=dict)
    exact: bool = True
    sample: Sequence[Entry] = ()


def preview(selection: Selection, *, action: Action, actor: Actor) -> Preview:
    """Count the entries to act on and those to skip, by reason, in about two seconds at most."""
    selection.check()
    found = selection.entries(actor=actor)
    sample: list[Entry] = []
    with suppress(OutOfTime), time_budget(COUNT_SECONDS):
        shown = _eligible(found, action).select_related("source").defer("payload", "result")
        sample = list(shown.order_by("id")[:10])
    with suppress(OutOfTime), time_budget(COUNT_SECONDS):
        sourceless = ExpressionWrapper(Q(source=None), output_field=BooleanField())
        rows = list(found.order_by().values_list("status", sourceless).annotate(Count("id")))
        return _summarise(rows, selection, action, sample)
    return Preview(total=len(sample), eligible=0, exact=False, sample=sample)


def require_eligible(selection: Selection, *, action: Action, actor: Actor) -> None:
    """Raises ``NothingEligible`` where the action would skip the whole selection.

    A selection that is too large to count passes.
    """
    found = preview(selection, action=action, actor=actor)
    if found.exact and not found.eligible:
        raise NothingEligible(action=action.value, skipped=found.skipped)


def _eligible(found: EntryQuerySet, action: Action) -> EntryQuerySet:
    # The same rule as ``reason_for``, as a query.
    fitting = found.filter(status__in=find_allowed_statuses(action.value))
    return fitting.exclude(source=None) if action == Action.RESYNC else fitting


def _summarise(
    rows: Sequence[tuple[str, bool, int]],
    selection: Selection,
    action: Action,
    sample: Sequence[Entry],
) -> Preview:
    skipped: dict[Reason, int] = {}
    eligible = 0
    for status, sourceless, count in rows:
        reason = reason_for(status, verb=action.value, has_source=not sourceless)
        if reason is None:
            eligible += count
        else:
            skipped[reason] = skipped.get(reason, 0) + count
    total = sum(count for *_, count in rows)
    missing = len(set(selection.ids)) - total if selection.ids else 0
    if missing:
        skipped[Reason.NOT_FOUND] = missing
    return Preview(total + missing, eligible, skipped, sample=sample)


def freeze(operation: Operation, selection: Selection, *, actor: Actor) -> int:
    """Write the planned runs in one statement, in the caller's transaction; returns the total.

    Constant memory here, whatever the size: the ids never leave the database.
    """
    allow_statement(FREEZE_SECONDS)
    text, params = _select(selection, actor=actor)
    judged = operation.max_failure_rate is not None
    chosen = choose_sizes(rate=operation.rate_per_second, judged=judged)
    return plan.freeze(operation, selected=text, params=params, sizes=chosen)


#: ``found`` is Django's own SQL, with its values bound like all others.
_WITH_MISSING = """
SELECT w.id, coalesce(e.kind, ''), e.source_id FROM unnest(%(ids)s::bigint[]) AS w (id)
LEFT JOIN ({found}) AS e (id, kind, source_id) ON e.id = w.id
"""


def _select(selection: Selection, *, actor: Actor) -> tuple[str, dict[str, Any]]:
    """SQL for (id, kind, source_id) of the selection; ids that are not there, or that the actor
    may not see, come along without a kind.
    """
    found = selection.entries(actor=actor).order_by().values_list("id", "kind", "source_id")
    text, named = as_sql(found)
    if selection.ids:
        named["ids"] = sorted(set(selection.ids))
        text = _WITH_MISSING.format(found=text)
    return text, named


def as_sql(found: QuerySet[Any, Any]) -> tuple[str, dict[str, Any]]:
    """Compile a queryset as part of a larger statement, with its values by name."""
    # Without this Django raises for a queryset that is known to be empty.
    compiler = found.query.get_compiler(DEFAULT_DB_ALIAS, elide_empty=False)
    text, positional = compiler.as_sql()
    named = {f"s{number}": value for number, value in enumerate(positional)}
    if named:
        text %= tuple(f"%({name})s" for name in named)
    return text, named
