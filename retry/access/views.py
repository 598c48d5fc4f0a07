"""Saved views as an actor sees them: which there are, what they mean, and how much each lists."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from time import monotonic

from django.db.models import Q, QuerySet
from django.db.models.fields.json import KT

from entries import lists
from entries.budget import OutOfTime
from entries.filters import EntryFilter
from retry.access.permissions import SHARE_VIEW, VIEW_ENTRY, VIEW_PAYLOAD
from retry.access.visibility import find_sources, visible_entries, visible_sources
from retry.models import SavedView
from retry.outcomes import Actor

#: Counting all views on a page stops here; the rest has no count this time.
COUNT_SECONDS = 0.3


def visible_views(actor: Actor) -> QuerySet[SavedView]:
    """Return the actor's own views and those that are shared, in the order of their names."""
    if not actor.may(VIEW_ENTRY):
        return SavedView.objects.none()
    own_or_shared = Q(owner=actor.user_id) | Q(shared=True)
    views = SavedView.objects.filter(own_or_shared).order_by("name", "pk")
    if not actor.may(VIEW_PAYLOAD):
        searches = Q(filter__q__isnull=False) & Q(filter__q__icontains="payload.")
        views = views.filter(~Q(filter__has_key="payload"), ~searches)
    if find_sources(actor).everything:
        return views
    # A filter by a source has its name.
    seen = visible_sources(actor).values("slug")
    return views.alias(named=KT("filter__source")).filter(Q(named__isnull=True) | Q(named__in=seen))


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
        if chosen.reads_payload and not actor.may(VIEW_PAYLOAD):
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
