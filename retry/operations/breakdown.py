"""What an operation would take, by error group, before anything happens."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from django.db.models import Count, Max, QuerySet

from entries.budget import OutOfTime, time_budget
from entries.lists.windows import open_window
from entries.models import Entry
from retry.access.visibility import visible_entries
from retry.models import Action
from retry.operations import selection as selections
from retry.operations.selection import Selection, keep_eligible
from retry.outcomes import Actor

#: Groups to show; the others are only counted.
MOST_GROUPS = 20
#: For looking at the newest entries, where all of them take too long.
NEWEST_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class TakenGroup:
    """Entries with one fingerprint; the error is that of the newest of them."""

    fingerprint: str
    count: int
    error_class: str = ""
    error_message: str = ""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """``groups``: the largest first, also those that the selection leaves out. ``exact`` is False
    where only the newest were counted, so there are more. ``kinds``: entries that would be taken,
    by kind.
    """

    groups: Sequence[TakenGroup] = ()
    #: Groups that are not shown, and their entries.
    other_groups: int = 0
    other_entries: int = 0
    #: Entries without an error, which belong to no group.
    without_error: int = 0
    exact: bool = True
    kinds: Mapping[str, int] = field(default_factory=dict)

    @property
    def taken(self) -> int:
        return sum(self.kinds.values())


def break_down(selection: Selection, *, action: Action, actor: Actor) -> Breakdown:
    """Count what the action would take by error group, within a fraction of a second."""
    whole = _include_all(selection)
    taken = keep_eligible(whole.find(actor=actor), action)
    seconds = selections.COUNT_SECONDS if whole.listed else selections.CHECK_SECONDS
    with suppress(OutOfTime), time_budget(seconds):
        return _summarise(_count(taken), selection, exact=True)
    with suppress(OutOfTime), time_budget(NEWEST_SECONDS):
        window = open_window(visible_entries(actor), whole.order)
        return _summarise(_count(window.narrow(taken)), selection, exact=False)
    return Breakdown(exact=False)


def _include_all(selection: Selection) -> Selection:
    """Return the selection with the groups that it leaves out, which can be chosen again."""
    if selection.filter is None:
        return selection
    return replace(selection, filter=replace(selection.filter, exclude_fingerprints=None))


def _count(taken: QuerySet[Entry]) -> list[tuple[str, str, int, int]]:
    groups = taken.order_by().values_list("fingerprint", "kind")
    return list(groups.annotate(Count("pk"), Max("pk")))


def _summarise(
    rows: Sequence[tuple[str, str, int, int]], selection: Selection, *, exact: bool
) -> Breakdown:
    left_out = set(selection.filter.exclude_fingerprints or ()) if selection.filter else set()
    counts: dict[str, int] = {}
    newest: dict[str, int] = {}
    kinds: dict[str, int] = {}
    for fingerprint, kind, count, last in rows:
        counts[fingerprint] = counts.get(fingerprint, 0) + count
        newest[fingerprint] = max(newest.get(fingerprint, 0), last)
        if fingerprint not in left_out:
            kinds[kind] = kinds.get(kind, 0) + count
    without_error = counts.pop("", 0)
    # What is left out stays in sight, however small it is.
    ordered = sorted(counts, key=lambda name: (name not in left_out, -counts[name], name))
    shown = sorted(ordered[:MOST_GROUPS], key=lambda name: (-counts[name], name))
    others = ordered[MOST_GROUPS:]
    errors = Entry.objects.only("error_class", "error_message").in_bulk(
        [newest[name] for name in shown]
    )
    groups = [
        TakenGroup(name, counts[name], entry.error_class, entry.error_message)
        for name in shown
        if (entry := errors.get(newest[name])) is not None
    ]
    return Breakdown(
        groups=groups,
        other_groups=len(others),
        other_entries=sum(counts[name] for name in others),
        without_error=without_error,
        exact=exact,
        kinds=kinds,
    )
