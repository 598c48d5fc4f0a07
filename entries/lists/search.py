"""A search by indexes, for texts that are too rare to be among the newest entries."""

from typing import Any

from django.db import connection
from django.db.models import Q

from entries import reasons
from entries.budget import OutOfTime, time_budget
from entries.lists.indexes import is_indexed
from entries.lists.windows import BUDGET_SECONDS, Order
from entries.models import EntryQuerySet, IndexedEntry
from entries.models.indexed import SEPARATOR
from entries.search_terms import SearchTerms, Term
from entries.sql import as_sql, load
from entries.states import EntryStatus

#: A shorter text has no trigram, so no index knows it.
_SHORTEST = 3
#: Error groups whose newest message is looked at.
_FINGERPRINTS = 1_000

_SQL = load(__file__)


def search(found: EntryQuerySet, text: str) -> EntryQuerySet:
    """Filter ``found`` by a search, exactly: every entry is looked at that no index rules out."""
    terms = SearchTerms.parse(text)
    found = found.filter(terms.condition(reasons.bind(found.scope)))
    if not terms.ids or not is_indexed():
        return found
    for term in terms.ids:
        # What begins alike in upper case is more than what is meant, and the index finds it.
        meant = Q(text__istartswith=f"{term.value}{SEPARATOR}")
        if term.number is not None:
            meant |= Q(pk=term.number)
        found = found.filter(pk__in=IndexedEntry.objects.filter(meant).values("pk"))
    return found


def find_by_index(
    found: EntryQuerySet, text: str, order: Order, limit: int, *, visible: EntryQuerySet
) -> list[int] | None:
    """Find ids in the order of the list; None where no index can, or not in time.

    ``found`` is not searched yet. ``visible``: the entries whose messages may decide which groups
    are looked at.
    """
    terms = SearchTerms.parse(text)
    driver = _choose_driver(terms)
    if driver is None or not is_indexed():
        return None
    found = found.filter(terms.without(terms.terms.index(driver)).condition())
    parts = []
    if driver.name == "text":
        named = IndexedEntry.objects.filter(text__icontains=driver.value).values("pk")
        parts.append(found.filter(pk__in=named))
        if driver.number is not None:
            parts.append(found.filter(pk=driver.number))
    keys: set[tuple[Any, ...]] = set()
    try:
        with time_budget(BUDGET_SECONDS):
            alike = _find_alike(driver, visible)
            if alike:
                failed = found.filter(status=EntryStatus.FAILED, fingerprint__in=alike)
                parts.append(failed.filter(driver.error_condition()))
            for part in parts:
                keys.update(part.order_by(*order.sorting).values_list(*order.columns)[:limit])
    except OutOfTime:
        return None
    return [key[-1] for key in sorted(keys, reverse=not order.oldest_first)[:limit]]


def _choose_driver(terms: SearchTerms) -> Term | None:
    """Choose the term by which candidates are found: the longest text that an index knows.

    A text has two ways to be found; part of an error has its groups only.
    """
    known = [
        term
        for term in terms.terms
        if term.name in {"text", "error"}
        and len(term.value) >= _SHORTEST
        and SEPARATOR not in term.value
    ]
    return max(known, key=lambda term: (term.name == "text", len(term.value)), default=None)


def _find_alike(term: Term, visible: EntryQuerySet) -> list[str]:
    columns = ("fingerprint", "error_message", "error_class", "failed_at", "id")
    failures, params = as_sql(visible.failed().order_by().values_list(*columns))
    params["pattern"] = f"%{connection.ops.prep_for_like_query(term.value)}%"
    params |= {"most": _FINGERPRINTS, "classes": term.name == "error"}
    # Django's own SQL, with its values bound like all others, so it cannot stand in the file.
    # Made part of the statement: a table of all failures would be written first.
    part = f"WITH failures ({', '.join(columns)}) AS NOT MATERIALIZED ({failures})"
    with connection.cursor() as cursor:
        cursor.execute(f"{part}\n{_SQL['find_alike']}", params)
        return [fingerprint for (fingerprint,) in cursor.fetchall()]
