"""Saved views as an actor sees them: which there are, what they mean, and how much each lists."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from time import monotonic

from django.db.models import Q, QuerySet

from entries import lists
from entries.budget import OutOfTime
from entries.filters import EntryFilter
from retry.access.permissions import SHARE_VIEW, VIEW_ENTRY
from retry.access.visibility import visible_entries
from retry.models import SavedView
from retry.outcomes import Actor

#: Counting all views on a page stops here; the rest has no count this time.
COUNT_SECONDS = 0.3


def visible_views(actor: Actor) -> QuerySet[SavedView]:
    """Return the actor's own views and those that are shared, in the order of their names."""
    if not actor.may(VIEW_ENTRY):
        return SavedView.objects.none()
    return SavedView.objects.filter(Q(owner=actor.user_id) | Q(shared=True)).order_by("name", "pk")


def may_change(view: SavedView, *, actor: Actor) -> bool:
    return actor.may(SHARE_VIEW) if view.shared else view.owner_id == actor.user_id


def read_filter(view: SavedView) -> EntryFilter | None:
    """Return the filter of a view; None where this version does not know it any more."""
    try:
        return EntryFilter.from_data(view.filter)
    except (TypeError, ValueError):
        return None


def count_views(views: Iterable[SavedView], *, actor: Actor) -> Mapping[int, tuple[int, bool]]:
    """Count what each view shows the actor, and whether there is more; by the id of the view.

    A view whose count is not known in time is missing.
    """
    visible = visible_entries(actor)
    counts: dict[int, tuple[int, bool]] = {}
    end = monotonic() + COUNT_SECONDS
    for view in views:
        chosen = read_filter(view)
        if chosen is None or monotonic() > end:
            continue
        with suppress(OutOfTime):
            found = lists.narrow(visible, chosen)
            page = lists.find_page(
                found,
                visible=visible,
                text=chosen.q or "",
                order=lists.choose_order(chosen.status),
                offset=0,
                limit=1,
            )
            counts[view.pk] = (page.count, page.more)
    return counts
