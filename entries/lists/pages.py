"""Pages of a list of entries: by number for people, by keyset for programs."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from entries.budget import OutOfTime, time_budget
from entries.lists.by_reason import choose_by_reason, search_between
from entries.lists.counts import MOST, count
from entries.lists.search import find_by_index, search
from entries.lists.windows import (
    BUDGET_SECONDS,
    BY_ID,
    COUNT_SECONDS,
    WINDOW_SECONDS,
    Order,
    open_window,
)
from entries.models import Entry, EntryQuerySet
from entries.search_terms import SearchTerms

#: Counting what a search finds stops here, where that takes looking at entries one by one.
MOST_SEARCHED = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """Part of a list: the ``ids`` in its order, and how many the whole list has.

    ``more``: there are more than ``count``. ``edge``: the oldest entry that was looked at, where
    time did not suffice to look at all.
    """

    ids: Sequence[int]
    count: int
    more: bool = False
    edge: int | None = None


def find_page(
    found: EntryQuerySet,
    *,
    visible: EntryQuerySet,
    text: str = "",
    order: Order,
    offset: int,
    limit: int,
    indexed: QuerySet[Any] | None = None,
) -> ListPage:
    """Find part of a list, for pages with numbers.

    ``found`` is not searched yet; ``text`` is what to search for. ``visible``: every entry that may
    be seen, of which ``found`` is a part. ``indexed``: as from ``find_alone``, where an index has
    the ids of all that was ``found``.
    """
    terms = SearchTerms.parse(text)
    if terms.reasons:
        return _find_by_reason(found, terms, order, offset, limit)
    searched = search(found, text)
    if terms.is_plain:
        plain: QuerySet[Any] = searched
        if indexed is not None and not terms.terms and order.columns == BY_ID.columns:
            plain = indexed
        return _find_plain(plain, order, offset, limit, visible=visible)
    stop = offset + limit
    most = max(stop, MOST_SEARCHED)
    edge, near = _look_at_newest(searched, order, most + 1, visible=visible)
    if edge is None or len(near) > stop:
        # Of a frequent text there are more beyond the newest.
        return _cut(near, offset, limit, most, more=edge is not None)
    others = find_by_index(found, text, order, max(stop, MOST) + 1, visible=visible)
    if others is not None:
        # The index does not have all of them: of error messages it knows one of each group.
        together = list(dict.fromkeys([*near, *others]))
        return _cut(together, offset, limit, max(stop, MOST))
    return ListPage(ids=near[offset:stop], count=len(near), more=True, edge=edge)


def find_behind(
    found: EntryQuerySet,
    *,
    visible: EntryQuerySet,
    text: str = "",
    behind: int | None,
    limit: int,
    indexed: QuerySet[Any] | None = None,
) -> tuple[Sequence[int], int | None]:
    """Find at most ``limit`` ids in ``BY_ID`` behind an id, and where to continue.

    For pages by keyset: there may be more even where fewer than ``limit`` were found, and None
    means that there are none. The other arguments are those of ``find_page``.
    """
    if behind is not None:
        found = found.filter(pk__lt=behind)
    terms = SearchTerms.parse(text)
    if terms.reasons:
        return _find_behind_by_reason(found, terms, visible=visible, behind=behind, limit=limit)
    searched = search(found, text)
    if terms.is_plain:
        plain: QuerySet[Any] = searched
        if indexed is not None and not terms.terms:
            plain = indexed if behind is None else indexed.filter(pk__lt=behind)
        with suppress(OutOfTime), time_budget(BUDGET_SECONDS):
            return _end(_find_ids(plain, BY_ID, limit + 1), limit, None)
        edge, near = _look_at_newest(plain, BY_ID, limit + 1, visible=visible, behind=behind)
        return _end(near, limit, edge)
    edge, near = _look_at_newest(searched, BY_ID, limit + 1, visible=visible, behind=behind)
    if edge is None or len(near) > limit:
        return _end(near, limit, edge)
    others = find_by_index(found, text, BY_ID, limit + 1, visible=visible)
    if others is not None:
        # Sorted, so that the next page repeats nothing, whatever was stored in between.
        return _end(sorted({*near, *others}, reverse=True), limit, None)
    return _end(near, limit, edge)


def _find_by_reason(
    found: EntryQuerySet, terms: SearchTerms, order: Order, offset: int, limit: int
) -> ListPage:
    chosen, complete = choose_by_reason(found, terms)
    stop = offset + limit
    most = max(stop, MOST_SEARCHED)
    with time_budget(WINDOW_SECONDS):
        return _cut(_find_ids(chosen, order, most + 1), offset, limit, most, more=not complete)


def _find_behind_by_reason(
    found: EntryQuerySet,
    terms: SearchTerms,
    *,
    visible: EntryQuerySet,
    behind: int | None,
    limit: int,
) -> tuple[Sequence[int], int | None]:
    chosen, complete = choose_by_reason(found, terms)
    with time_budget(WINDOW_SECONDS):
        if complete:
            return _end(_find_ids(chosen, BY_ID, limit + 1), limit, None)
        window = open_window(visible, BY_ID, behind=behind)
        narrowed = search_between(found, terms, low=window.edge or 0, high=behind)
        return _end(_find_ids(window.narrow(narrowed), BY_ID, limit + 1), limit, window.edge)


def _find_plain(
    found: QuerySet[Any], order: Order, offset: int, limit: int, *, visible: EntryQuerySet
) -> ListPage:
    stop = offset + limit
    begin = time.monotonic()
    try:
        with time_budget(BUDGET_SECONDS):
            ids = _find_ids(found, order, stop + 1, offset=offset)
    except OutOfTime:
        # To count all of them would take as long.
        edge, near = _look_at_newest(found, order, MOST, visible=visible)
        more = edge is not None
        return ListPage(ids=near[offset:stop], count=len(near), more=more, edge=edge)
    if len(ids) <= limit and (ids or not offset):
        # The end of the list, so nothing is left to count.
        return ListPage(ids=ids, count=offset + len(ids))
    # Rows that were slow to find are slow to count as well: both have one budget.
    left = max(COUNT_SECONDS / 5, min(COUNT_SECONDS, BUDGET_SECONDS - (time.monotonic() - begin)))
    number, more = count(found, visible=visible, seconds=left)
    known = offset + len(ids) if ids else 0
    return ListPage(ids=ids[:limit], count=max(number, known), more=more)


def _look_at_newest(
    found: QuerySet[Any],
    order: Order,
    most: int,
    *,
    visible: EntryQuerySet,
    behind: int | None = None,
) -> tuple[int | None, list[int]]:
    """Find ids among the newest visible entries; and the last of these, or None: these are all.

    Raises ``OutOfTime`` where even this takes too long: something is blocked.
    """
    with time_budget(WINDOW_SECONDS):
        window = open_window(visible, order, behind=behind)
        return window.edge, _find_ids(window.narrow(found), order, most)


def _find_ids(found: QuerySet[Any], order: Order, stop: int, *, offset: int = 0) -> list[int]:
    ordered = found.order_by(*order.sorting).values_list("pk", flat=True)
    return list(ordered[offset:stop])


def _cut(ids: Sequence[int], offset: int, limit: int, most: int, *, more: bool = False) -> ListPage:
    return ListPage(
        ids=ids[offset : offset + limit], count=min(len(ids), most), more=more or len(ids) > most
    )


def _end(ids: Sequence[int], limit: int, edge: int | None) -> tuple[Sequence[int], int | None]:
    return ids[:limit], ids[limit - 1] if len(ids) > limit else edge


def read_rows(ids: Sequence[int]) -> list[Entry]:
    """Read entries as rows of a list, in the order of ``ids``."""
    by_id = {row.pk: row for row in Entry.objects.filter(pk__in=ids).as_rows()}
    return [by_id[id_] for id_ in ids if id_ in by_id]
