"""Lists of what something was asked for, for a reason: from the reasons to the entries."""

from django.db.models.expressions import RawSQL

from entries import reasons
from entries.lists import windows
from entries.models import EntryQuerySet
from entries.search_terms import SearchTerms
from entries.sql import array


def choose_by_reason(found: EntryQuerySet, terms: SearchTerms) -> tuple[EntryQuerySet, bool]:
    """Search ``found`` among the newest for each reason, as many as a window has.

    Returns as well whether these are all. ``found`` is not searched yet.
    """
    complete = True
    for text in terms.reasons:
        ids = reasons.find_ids(text, scope=found.scope, most=windows.WINDOW + 1)
        complete = complete and len(ids) <= windows.WINDOW
        # One parameter, however many they are.
        found = found.filter(
            pk__in=RawSQL("SELECT unnest(%s::bigint[])", [array(ids[: windows.WINDOW])])
        )
    return found.filter(terms.without_reasons().condition()), complete


def search_between(
    found: EntryQuerySet, terms: SearchTerms, *, low: int, high: int | None
) -> EntryQuerySet:
    """Search ``found``, of which only entries with ids from ``low`` to ``high`` are looked at."""
    return found.filter(terms.condition(reasons.bind(found.scope, low=low, high=high)))
